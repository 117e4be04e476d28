import ArgumentParser
import Compute
import Jobs

/// How many threads a command uses: speed, never results.
struct Threads: ParsableArguments {
    @Option(help: "How many threads to use; all cores by default.")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is in 1...1024, not \(threads)") }
    }

    /// Sets the number of threads, and lets Ctrl-C ask for a clean stop.
    func apply() {
        if let threads { Workers.count = threads }
        StopSignal.install()
    }
}
