import ArgumentParser
import Glibc

@main
struct RevqTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revq-train",
        abstract: "Makes visual tokenizers: pictures, autoencoders, codebooks and rectifiers.",
        subcommands: [Synthesize.self, TrainAutoencoder.self, ExtractLatents.self, FitQuantizer.self, Import.self, Publish.self, Evaluate.self],
        groupedSubcommands: [
            CommandGroup(
                name: "Experiments",
                subcommands: [Tolerance.self, AblateReset.self, SweepRectifier.self, SweepGrouping.self, SweepTokens.self, Transfer.self])
        ])

    static func main() {
        // A file that reaches the limit of the shell is then an error of the write, as on a full disk, and not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        main(nil)
    }
}
