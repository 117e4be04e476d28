import ArgumentParser
import Compute

/// Times the tokenizer against this machine's own rates.
@main
struct RevqBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revq-bench", abstract: "Times the tokenizer beside this machine's matrix-product and copy rates.",
        subcommands: [Measure.self, Work.self, Agreement.self, Algorithms.self, NearestCode.self, TrainingStep.self, Tokenizing.self, Scaling.self],
        defaultSubcommand: Measure.self)

    static func main() {
        do {
            var command = try parseAsRoot()
            var context = ComputeContext.current
            if let threads = (command as? any ThreadedCommand)?.threads { context.threads = threads }
            try context.run { try command.run() }
        } catch {
            exit(withError: error)
        }
    }
}

/// A measurement that is told how many threads to use; all cores by default.
protocol ThreadedCommand: ParsableCommand {
    var threads: Int? { get }
}
