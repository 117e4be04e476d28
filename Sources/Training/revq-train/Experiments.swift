import ArgumentParser
import Fitting
import Laboratory
import TokenizerCore

struct Tolerance: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Experiment: how much noise a frozen decoder tolerates in its latents.",
        discussion: """
            Noise in raw and normalised units, on all channels and on each alone; finds the knee. Beside it the decoder's Jacobian, and what is \
            left at equal bits, by tokens and by ideal codes. Several autoencoders are compared on the same pictures.

            Examples:
              revq-train tolerance --vae dc-ae --images pictures --output runs/tolerance
              revq-train tolerance --vae plain kl discrete --images pictures \\
                --output runs/tolerances
            """)

    @OptionGroup var laboratory: LaboratoryArguments<SeveralAutoencoders>
    @Option(parsing: .upToNextOption, help: "Tokens per image of the quantisers; ideal codes have their bits, too.")
    var tokens = [2048, 1024, 512, 256, 128]
    @Option(help: "Codes of the one codebook.")
    var codes = 1024
    @Option(help: "strip, block-HxW, spatial or klt-S.")
    var grouping = Grouping.strip
    @Option(help: "Passes of Lloyd's algorithm.")
    var passes = 10

    var threads: Threads { laboratory.threads }

    func run() throws {
        let options = ToleranceExperiment.Options(tokens: tokens, codes: codes, grouping: grouping, passes: passes, seed: laboratory.seed)
        try options.check()
        let folders = laboratory.autoencoders.vae
        guard folders.count > 1 else {
            return try laboratory.run(self, options: options) { domains in try ToleranceExperiment(domains[0], options) }
        }
        try laboratory.run(self, options: options) { domains in try ToleranceComparison(folders, domains, options) }
    }
}

struct AblateReset: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Experiment: what resetting unused codes is worth, over codebooks of growing size.",
        discussion: """
            The paper's training, with its numbers of images per code: sizes follow from how many images there are.

            Examples:
              revq-train ablate-reset --vae dc-ae --latents runs/latents \\
                --output runs/resets
            """)

    @OptionGroup var laboratory: LaboratoryArguments<OneAutoencoder>
    @Option(help: "Tokens per image, each with a codebook of its own.")
    var tokens = 512
    @Option(help: "Epochs of gradient steps.")
    var epochs = 30
    @Option(help: "Images per gradient step.")
    var batch = 256
    @Option(help: "Of the codebooks.")
    var learningRate: Float = 0.01

    var threads: Threads { laboratory.threads }

    func run() throws {
        let options = ResetAblation.Options(tokens: tokens, epochs: epochs, batch: batch, learningRate: learningRate, seed: laboratory.seed)
        try options.check()
        try laboratory.run(self, options: options) { domains in try ResetAblation(domains[0], options) }
    }
}

struct Transfer: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Experiment: fitted on one kind of pictures, measured on another.",
        discussion: """
            Once with the fitted statistics, once with those of the second domain; beside both domains' own quantisers.

            Examples:
              revq-train transfer --vae dc-ae --latents runs/latents \\
                --to-images drawings --output runs/transfer
            """)

    /// What is not given.
    static let usual = QuantizerOptions(tokens: 512, codes: 1024, sharing: .one)

    @OptionGroup var laboratory: LaboratoryArguments<OneAutoencoder>
    @Option(help: "Pictures of the second domain, as --images.")
    var toImages: String?
    @Option(help: "Latents of the second domain, as --latents.")
    var toLatents: String?
    @OptionGroup var quantizer: QuantizerArguments
    @Option(help: "Passes of Lloyd's algorithm.")
    var passes = 10

    func validate() throws {
        if toImages == nil && toLatents == nil { throw ValidationError("name --to-images, --to-latents or both") }
    }

    var threads: Threads { laboratory.threads }

    func run() throws {
        var wanted = Self.usual
        quantizer.change(&wanted)
        let options = TransferExperiment.Options(quantizer: wanted, passes: passes, seed: laboratory.seed)
        var second = try laboratory.sources[0]
        (second.images, second.latents) = (toImages, toLatents)
        var command = self
        command.quantizer.complete(wanted)
        try laboratory.run(command, options: options, others: [second]) { domains in
            try TransferExperiment(from: domains[0], to: domains[1], options)
        }
    }
}
