import ArgumentParser
import Compute
import Jobs
import Ranks

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

/// What a training may take in one call, and who looks on. Not part of its result.
struct RunOptions: ParsableArguments {
    @Option(help: "Stop cleanly at the first step after so many minutes, with exit status 0; the same command goes on.")
    var minutes: Double?
    @Flag(help: "Write the log also as event files for TensorBoard, into \"\(Self.eventsName)\" of the run's folder.")
    var tensorboard = false
    @OptionGroup var resources: Resources

    private static let eventsName = "tensorboard"

    func validate() throws {
        if let minutes, !(minutes > 0 && minutes <= 1e6) { throw ValidationError("--minutes is above 0 and at most 1000000, not \(minutes)") }
    }

    var limit: TimeLimit? { minutes.map { TimeLimit(minutes: $0) } }

    /// - Parameter output: the run's folder.
    func events(in output: String) -> String? { tensorboard ? "\(output)/\(Self.eventsName)" : nil }

    /// Says why a run ended before its last step: a signal, which the exit status tells, or its time.
    /// A signal that one of the ranks has had is all ranks'.
    func ended(_ console: Console, _ ranks: RankGroup) throws(ExitCode) {
        StopSignal.share(ranks.highest(StopSignal.number))
        guard let minutes, !StopSignal.isRequested else { try console.stop() }
        let plural = minutes == 1 ? "minute is" : "minutes are"
        console.say("\(minutes == minutes.rounded() ? "\(Int(minutes))" : "\(minutes)") \(plural) over; the same command goes on from here")
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
