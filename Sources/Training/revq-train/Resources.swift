import ArgumentParser
import Compute
import Jobs

/// Options of every command that runs for long. They change speed and safety, never results.
struct Resources: ParsableArguments {
    @OptionGroup var threads: Threads

    @Option(help: "Minutes between two saves: what a crash can cost.")
    var saveMinutes = 5.0

    var saveInterval: Duration { .seconds(saveMinutes * 60) }

    func validate() throws {
        guard (0...1440).contains(saveMinutes) else { throw ValidationError("--save-minutes is in 0...1440, not \(saveMinutes)") }
    }
}

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

extension Console {
    /// Says that a command was asked to stop before its work was done, and ends it with the status that says so to scripts.
    func stop(_ text: String = "stopped; the same command goes on from here") throws(ExitCode) -> Never {
        say(text)
        throw ExitCode(StopSignal.exitStatus)
    }
}
