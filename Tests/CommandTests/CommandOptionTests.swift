import TestSupport
import Testing

@testable import Files
@testable import Fitting
@testable import Networks

/// What the command makes of its options before any work.
@Suite struct CommandOptionTests {
    @Test func rectifierOptionsChangeSingleOnesOfAPreset() throws {
        try withScratchFolder { folder in
            _ = try TinyTraining.extraction(TinyTraining.place(in: folder, count: 8), to: folder + "/latents").run { false }
            let fit = ["fit", "--latents", folder + "/latents", "--output", folder + "/run", "--tokens", "192", "--codes", "4"]
            let ended = try TrainCommand.run(
                fit + [
                    "--preset", "512T", "--epochs", "0", "--rectifier-width", "48", "--rectifier-depth", "1", "--rectifier-head", "16", "--residual",
                ])
            #expect(ended.status == 0, "\(ended.errors)")
            let fitted = try FittedQuantizer(folder + "/run/fit")
            #expect(
                fitted.rectifier.configuration == RectifierConfiguration(.vit(width: 48, depth: 1, headDimension: 16, scales: [5]), isResidual: true))
        }
    }

    @Test(arguments: [
        (["extract"], "fp32 or fp16. (default: fp32)"), (["import", "vae"], "for the weights. (default: fp32)"),
        (["transfer"], "in transfer 1024)"), (["fit"], "(default: 16384;"), (["tolerance"], "(default: 2048, 1024, 512, 256, 128)"),
    ])
    func helpNamesDefaultsAsTheyAreGiven(command: [String], text: String) throws {
        let ended = try TrainCommand.run(command + ["--help"])
        let words = ended.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(ended.status == 0 && words.contains(text), "\(words)")
    }

    @Test func theVersionIsToldOnItsOwn() throws {
        let ended = try TrainCommand.run(["--version"])
        #expect(ended.status == 0 && ended.output.hasPrefix("revq-train ") && ended.output.split(separator: "\n").count == 1)
    }

    @Test func synthesisHasNoOptionThatDoesNothing() throws {
        #expect(try !TrainCommand.run(["synthesize", "--help"]).output.contains("save-minutes"))
    }

    /// JSON, and so a run's folder, has no such numbers.
    @Test(arguments: ["ablate-reset", "sweep-rectifier"], ["nan", "inf"])
    func learningRatesThatAreNoNumbersAreRefused(command: String, rate: String) throws {
        try withScratchFolder { folder in
            let ended = try TrainCommand.run([command, "--vae", "x", "--latents", "y", "--output", folder + "/run", "--learning-rate", rate])
            #expect(ended.status == 1 && ended.errors == "Error: --learning-rate is in 0...1, not \(rate)\n")
            #expect(try StoredFolder.names(in: folder).isEmpty)
        }
    }

    /// Whose would they be?
    @Test func latentsOfSeveralAutoencodersAreRefused() throws {
        let ended = try TrainCommand.run(["tolerance", "--vae", "a", "b", "--images", "x", "--latents", "y", "--output", "z"])
        #expect(ended.status == 64 && ended.errors.hasPrefix("Error: --latents are one autoencoder's: with several name --images\n"), "\(ended)")
    }

    @Test func theOptionThatIsImpossibleIsNamed() throws {
        let ended = try TrainCommand.run(["sweep-rectifier", "--vae", "x", "--latents", "y", "--output", "z", "--batch", "0"])
        #expect(ended.status == 1 && ended.errors == "Error: --batch is in 1...1048576, not 0\n")
    }

    @Test(arguments: [
        (["--residual"], "--residual does not go with the identity rectifier: choose one with --rectifier"),
        (["--rectifier-depth", "2"], "--rectifier-depth does not go with the identity rectifier: choose one with --rectifier"),
        (["--preset", "512T", "--rectifier-rank", "8"], "--rectifier-rank does not go with the vit rectifier: choose one with --rectifier"),
        (["--rectifier", "linear", "--rectifier-width", "8"], "--rectifier-width does not go with the linear rectifier"),
        (["--rectifier-loss", "perceptual"], "--rectifier-loss perceptual and --perceptual, the network's file, go together"),
        (["--rectifier-loss", "pixel", "--perceptual", "z"], "--rectifier-loss perceptual and --perceptual, the network's file, go together"),
        (["--perceptual-weight", "2"], "--perceptual-weight goes with --perceptual"),
    ])
    func rectifierOptionsOfOtherNetworksAreRefused(_ arguments: [String], _ reason: String) throws {
        let ended = try TrainCommand.run(["fit", "--latents", "x", "--output", "y"] + arguments)
        #expect(ended.status == 64 && ended.errors.hasPrefix("Error: \(reason)\n"), "\(ended)")
    }

    @Test(arguments: [
        (["--per-file", "0"], "--per-file is in 1...1000000, not 0"), (["--name", "x"], "--name goes with --format llamagen"),
        (["--format", "llamagen", "--name", "a/b"], "--name is a name for folders, without slashes and not starting with a dot"),
        (["--shard", "0/2", "--shards", "2"], "--shard says both: leave --shards out"),
    ])
    func tokenizeRefusesWhatDoesNotGoTogether(_ arguments: [String], _ reason: String) throws {
        let ended = try TrainCommand.run(["tokenize", "--images", "x", "--checkpoint", "y", "--output", "z"] + arguments)
        #expect(ended.status == 64 && ended.errors.hasPrefix("Error: \(reason)\n"), "\(ended)")
    }

    @Test func aShardOutOfRangeIsRefusedBeforeAnythingIsRead() throws {
        let ended = try TrainCommand.run(["tokenize", "--images", "x", "--checkpoint", "y", "--output", "z", "--shard", "4/4"])
        #expect(ended.status == 1 && ended.errors == "Error: --shard 4 of 4 is out of range: expected 0 to 3\n", "\(ended)")
    }

    @Test(arguments: [
        (["--split", "80/10"], "--split is three whole numbers above 0 that add up to 100, such as 80/10/10, not 80/10"),
        (["--labels", "x", "--folder-labels"], "--labels and --folder-labels both say what the labels are: choose one"),
    ])
    func impossiblePartsAndLabelsAreRefused(_ arguments: [String], _ reason: String) throws {
        let ended = try TrainCommand.run(["extract", "--images", "x", "--vae", "y", "--output", "z"] + arguments)
        #expect(ended.status == 64 && ended.errors.hasPrefix("Error: \(reason)\n"), "\(ended)")
    }
}
