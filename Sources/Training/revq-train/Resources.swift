import ArgumentParser
import TokenizerCore
import Training

/// Options of every command that runs for long. They change speed and safety, never results.
struct Resources: ParsableArguments {
    @Option(help: "How many threads to use; all cores by default.")
    var threads: Int?

    @Option(help: "Minutes between two saves: what a crash can cost.")
    var saveMinutes = 5.0

    var saveInterval: Duration { .seconds(saveMinutes * 60) }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is in 1...1024, not \(threads)") }
        guard (0...1440).contains(saveMinutes) else { throw ValidationError("--save-minutes is in 0...1440, not \(saveMinutes)") }
    }

    /// Sets the number of threads, and lets Ctrl-C ask for a clean stop.
    func apply() {
        if let threads { Workers.count = threads }
        StopSignal.install()
    }
}
