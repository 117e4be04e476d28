import ArgumentParser
import TokenizerCore

/// The `--threads` option, which every command has.
enum Threads {
    static func use(_ count: Int?) throws {
        guard let count else { return }
        guard (1...1024).contains(count) else { throw ValidationError("--threads is in 1...1024, got \(count)") }
        Workers.count = count
    }
}
