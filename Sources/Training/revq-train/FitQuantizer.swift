import ArgumentParser
import TokenizerCore
import Training

extension QuantizerRun.Method: ExpressibleByArgument {}
extension CodebookReset: ExpressibleByArgument {}

struct FitQuantizer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit",
        abstract: "Makes codebooks and a rectifier for extracted latents.",
        discussion: """
            Goes on where it was interrupted: call it again with the same options. Ctrl-C saves and exits. \
            The result is in the folder "\(QuantizerRun.resultName)" of the run.
            """)

    @Option(help: "The latents: a folder that extract filled.")
    var latents: String
    @Option(help: "The folder of this run.")
    var output: String
    @Option(help: "adam: gradient steps for codebooks and rectifier, as in the paper. lloyd: exact means, then the rectifier.")
    var method = QuantizerRun.Method.lloyd
    @Option(help: "Tokens per image.")
    var tokens = 512
    @Option(help: "Codes per codebook.")
    var codes = 16_384
    @Option(help: "How many codebooks the tokens share: --tokens gives each position its own, 1 is one for all.")
    var codebooks = 1
    @Option(help: "Passes of Lloyd's algorithm over the latents.")
    var passes = 20
    @Option(help: "Epochs of gradient steps.")
    var epochs = 100
    @Option(help: "Images per gradient step.")
    var batch = 256
    @Option(help: "Of the codebooks; the rectifier has 0.05 of it.")
    var learningRate: Float = 0.01
    @Option(help: "What becomes of unused codes after an epoch of adam: none, paper or code.")
    var reset = CodebookReset.code
    @OptionGroup var rectifier: RectifierOptions
    @Option(help: "The last so many images are not trained on but measure the result.")
    var heldOut = 64
    @Option var seed: UInt64 = 0
    @OptionGroup var resources: Resources

    func run() throws {
        resources.apply()
        let options = QuantizerRun.Options(
            latents: latents, method: method, tokens: tokens, codes: codes, codebooks: codebooks, passes: passes, epochs: epochs,
            batch: batch, learningRate: learningRate, reset: reset, rectifier: rectifier.configuration, heldOut: heldOut, seed: seed)
        let console = Console()
        let isComplete = try QuantizerRun(output, options: options, console: console).run(saveEvery: resources.saveInterval)
        console.say(isComplete ? "done: \(output)/\(QuantizerRun.resultName)" : "saved; the same command goes on from here")
    }
}
