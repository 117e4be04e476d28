import ArgumentParser
import Compute

/// How many threads a command uses: speed, never results.
struct Threads: ParsableArguments {
    @Option(help: "How many threads to use; all cores by default.")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is in 1...1024, not \(threads)") }
    }

    var context: ComputeContext {
        var context = ComputeContext.current
        if let threads { context.threads = threads }
        return context
    }
}

/// A command that computes, on the threads it is told to use.
protocol ComputingCommand: ParsableCommand {
    var threads: Threads { get }
}
