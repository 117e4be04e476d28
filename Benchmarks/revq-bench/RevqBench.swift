import ArgumentParser

/// Times the tokenizer against this machine's own rates.
@main
struct RevqBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revq-bench", abstract: "Times the tokenizer beside this machine's matrix-product and copy rates.",
        subcommands: [Measure.self, Work.self, Agreement.self, Algorithms.self, NearestCode.self, TrainingStep.self], defaultSubcommand: Measure.self)
}
