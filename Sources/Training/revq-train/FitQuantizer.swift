import ArgumentParser
import Fitting
import Jobs

extension QuantizerRun.Method: ExpressibleByArgument {}
extension FitPreset: ExpressibleByArgument {}

struct FitQuantizer: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit",
        abstract: "Makes codebooks and a rectifier for extracted latents.",
        discussion: """
            Goes on where it was interrupted: call it again with the same options. Ctrl-C saves and exits. \
            The result is in the folder "\(QuantizerRun.resultName)" of the run. \
            It is measured on the reporting part of the split that extract was told; the best epoch and penalty are chosen by the choosing part.
            """)

    @Option(help: "The latents: a folder that extract filled.")
    var latents: String
    @Option(help: "The folder of this run.")
    var output: String
    @Option(help: "The paper's settings: 512T, 256T-B or 256T-L. Other options change single ones of them.")
    var preset: FitPreset?
    @Option(help: "adam: gradient steps for codebooks and rectifier, as in the paper. lloyd: exact means, then the rectifier. (default: lloyd)")
    var method: QuantizerRun.Method?
    @Option(help: "The autoencoder that made the latents: for --distortion weighted, and to measure pictures.")
    var vae: String?
    @OptionGroup var quantizer: QuantizerArguments
    @Option(help: "Passes of Lloyd's algorithm over the latents. (default: 20)")
    var passes: Int?
    @Option(help: "Epochs of gradient steps. (default: 100)")
    var epochs: Int?
    @Option(help: "Images per gradient step. (default: 256)")
    var batch: Int?
    @Option(help: "Of the codebooks; the rectifier has 0.05 of it. (default: 0.01)")
    var learningRate: Float?
    @OptionGroup var gradient: GradientArguments
    @Option(
        help: "What becomes of unused codes after an epoch or pass: none, paper, code or distortion. (default: distortion for lloyd, code for adam)")
    var reset: CodebookReset?
    @OptionGroup var rectifier: RectifierOptions
    @Option var seed: UInt64 = 0
    @OptionGroup var resources: Resources

    func validate() throws {
        _ = try options
    }

    var threads: Threads { resources.threads }

    func run() throws {
        let console = Console()
        let isComplete = try QuantizerRun(output, options: options, console: console).run(saveEvery: resources.saveInterval)
        guard isComplete else { try console.stop() }
        console.say("done: \(output)/\(QuantizerRun.resultName)")
    }

    /// The preset's options, or this program's own, with those changed that were given.
    private var options: QuantizerRun.Options {
        get throws {
            var options = preset?.options(latents: latents) ?? QuantizerRun.Options(latents: latents)
            if let method { options.change(method: method) }
            quantizer.change(&options.quantizer)
            options.vae = vae
            options.passes = passes ?? options.passes
            options.epochs = epochs ?? options.epochs
            options.batch = batch ?? options.batch
            options.learningRate = learningRate ?? options.learningRate
            gradient.change(&options.gradient)
            options.reset = reset ?? options.reset
            try rectifier.change(&options.rectifier)
            options.seed = seed
            return options
        }
    }
}
