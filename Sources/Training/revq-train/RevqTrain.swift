import ArgumentParser
import Compute
import Glibc
import Jobs

@main
struct RevqTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revq-train",
        abstract: "Makes visual tokenizers: pictures, autoencoders, codebooks and rectifiers.",
        discussion: """
            Every command explains its options and shows examples with --help, and takes options from a file with --config. A command that was \
            interrupted goes on when it is called again, and ends with 130 or 143 meanwhile.

            Examples:
              revq-train fit --help
              revq-train runs list runs
              revq-train --generate-completion-script bash \\
                > ~/.local/share/bash-completion/completions/revq-train
            """,
        version: "revq-train 0.1.0",
        subcommands: [
            Synthesize.self, TrainAutoencoder.self, ExtractLatents.self, FitQuantizer.self, Import.self, Publish.self, Evaluate.self, Tokenize.self,
            Detokenize.self, Runs.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "Experiments",
                subcommands: [Tolerance.self, AblateReset.self, SweepRectifier.self, SweepGrouping.self, SweepTokens.self, Transfer.self])
        ])

    static func main() {
        // A file that reaches the limit of the shell is then an error of the write, as on a full disk, and not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        var command = parsed()
        do {
            guard let threads = (command as? any ComputingCommand)?.threads else { return try command.run() }
            // The first Ctrl-C asks for a clean stop.
            StopSignal.install()
            try threads.context.run {
                if let shared = command as? any SharedCommand { try shared.runWithAllRanks() } else { try command.run() }
            }
        } catch {
            exit(withError: error)
        }
    }

    /// What was asked for.
    private static func parsed() -> any ParsableCommand {
        do {
            return try parseAsRoot(CommandOptions.expanding(Array(CommandLine.arguments.dropFirst()), of: RevqTrain.self))
        } catch {
            refuse(error)
        }
    }
}
