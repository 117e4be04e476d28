import ArgumentParser
import Fitting
import Laboratory
import TokenizerCore

extension RectifierSweep.Kind: ExpressibleByArgument {}
extension RectifierSweep.Form: ExpressibleByArgument {}
extension RectifierSweep.Loss: ExpressibleByArgument {}

struct SweepTokens: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep-tokens",
        abstract: "Experiment: token counts and codebook sizes, with bits on the axis and what theory allows beside the curves.",
        discussion: """
            Combinations that the latents do not allow are listed in the report and left out.

            Examples:
              revq-train sweep-tokens --vae dc-ae --images pictures \\
                --tokens 512 256 128 --output runs/tokens
            """)

    @OptionGroup var laboratory: LaboratoryArguments<OneAutoencoder>
    @Option(parsing: .upToNextOption, help: "Tokens per image.")
    var tokens = [2048, 1024, 512, 256, 128, 64, 32]
    @Option(parsing: .upToNextOption, help: "Codes per codebook.")
    var codes = [256, 1024, 4096]
    @Option(help: "strip, block-HxW, spatial or klt-S.")
    var grouping = Grouping.strip
    @Option(help: "normalised or weighted.")
    var distortion = QuantizerOptions.Distortion.normalised
    @Option(help: "Which tokens share a codebook: untied, channel or one.")
    var codebooks = QuantizerOptions.Sharing.one
    @Option(help: "Passes of Lloyd's algorithm.")
    var passes = 10

    var threads: Threads { laboratory.threads }

    func run() throws {
        let options = TokenSweep.Options(
            tokens: tokens, codes: codes, grouping: grouping, distortion: distortion, sharing: codebooks, passes: passes, seed: laboratory.seed)
        try laboratory.run(self, options: options) { domains in try TokenSweep(domains[0], options) }
    }
}

struct SweepGrouping: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep-grouping",
        abstract: "Experiment: what a token should be made of, what counts as near, and which tokens share codes, at equal bits.",
        discussion: """
            Combinations that the latents do not allow are listed in the report and left out.

            Examples:
              revq-train sweep-grouping --vae dc-ae --images pictures \\
                --groupings strip klt-2 --output runs/groupings
            """)

    @OptionGroup var laboratory: LaboratoryArguments<OneAutoencoder>
    @Option(help: "Tokens per image.")
    var tokens = 512
    @Option(help: "Codes per codebook.")
    var codes = 1024
    @Option(
        parsing: .upToNextOption, help: "strip, block-HxW, spatial or klt-S. (default: one of each, blocks as square as possible, klt-1 and klt-2)")
    var groupings: [Grouping] = []
    @Option(parsing: .upToNextOption, help: "normalised or weighted.")
    var distortions = QuantizerOptions.Distortion.allCases
    @Option(parsing: .upToNextOption, help: "Which tokens share a codebook: untied, channel or one.")
    var codebooks: [QuantizerOptions.Sharing] = [.untied, .one]
    @Option(help: "Passes of Lloyd's algorithm.")
    var passes = 10

    var threads: Threads { laboratory.threads }

    func run() throws {
        let options = GroupingSweep.Options(
            tokens: tokens, codes: codes, groupings: groupings.isEmpty ? nil : groupings, distortions: distortions, sharings: codebooks,
            passes: passes, seed: laboratory.seed)
        try laboratory.run(self, options: options) { domains in try GroupingSweep(domains[0], options) }
    }
}

struct SweepRectifier: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep-rectifier",
        abstract: "Experiment: which network corrects quantised latents best, at several numbers of tokens.",
        discussion: """
            Identity, closed-form linear, MLP, CNN and ViT, with and without a residual connection, behind the same codes. Codes that the latents do not \
            allow are listed in the report and left out.

            Examples:
              revq-train sweep-rectifier --vae dc-ae --images pictures \\
                --tokens 512 256 --output runs/rectifiers
              revq-train sweep-rectifier --vae dc-ae --images pictures \\
                --tokens 64 32 --groupings strip klt-2 --stages 1 2 4 \\
                --distortion weighted --rectifiers linear vit --output runs/few
            """)

    @OptionGroup var laboratory: LaboratoryArguments<OneAutoencoder>
    @Option(parsing: .upToNextOption, help: "Tokens per image.")
    var tokens = [512, 256, 128]
    @Option(parsing: .upToNextOption, help: "strip, block-HxW, spatial or klt-S.")
    var groupings = [Grouping.strip]
    @Option(parsing: .upToNextOption, help: "Codes that are added up for each vector.")
    var stages = [1]
    @Option(help: "Codes of each stage's one codebook.")
    var codes = 4096
    @Option(help: "normalised or weighted.")
    var distortion = QuantizerOptions.Distortion.normalised
    @Option(help: "Passes of Lloyd's algorithm, of each stage in its turn.")
    var passes = 10
    @Option(help: "Epochs of gradient steps for each network.")
    var epochs = 20
    @Option(help: "Images per gradient step.")
    var batch = 64
    @Option(help: "As in fit: rectifiers learn with a twentieth of it.")
    var learningRate: Float = 0.01
    @Option(help: "Channels of the vit and cnn, and width of the mlp.")
    var width = 128
    @Option(help: "Blocks of the networks.")
    var depth = 2
    @Option(help: "Channels of an attention head of the vit.")
    var head = 32
    @Option(parsing: .upToNextOption, help: "Which are tried beside none: linear, mlp, cnn, vit.")
    var rectifiers: [RectifierSweep.Kind] = [.linear, .mlp, .cnn, .vit]
    @Option(parsing: .upToNextOption, help: "plain or residual: without or with a connection past the network.")
    var forms = RectifierSweep.Form.allCases
    @Option(parsing: .upToNextOption, help: "What networks are trained by: latent, pixel or perceptual, as in fit.")
    var rectifierLosses = [RectifierSweep.Loss.latent]
    @Option(help: "With --rectifier-losses perceptual: the network that looks, a file that Tools/perceptual.py writes.")
    var perceptual: String?
    @Option(help: "What its distance is multiplied by, beside the squared error of pixels in -1 ... 1.")
    var perceptualWeight = RectifierLossOptions.usualWeight

    var threads: Threads { laboratory.threads }

    func run() throws {
        let options = RectifierSweep.Options(
            tokens: tokens, groupings: groupings, stages: stages, codes: codes, distortion: distortion, passes: passes, epochs: epochs, batch: batch,
            learningRate: learningRate, width: width, depth: depth, head: head,
            rectifiers: .init(
                kinds: rectifiers, forms: forms, losses: rectifierLosses, perceptual: perceptual.map { .init(network: $0, weight: perceptualWeight) }),
            seed: laboratory.seed)
        try options.check()
        try laboratory.run(self, options: options) { domains in try RectifierSweep(domains[0], options) }
    }
}
