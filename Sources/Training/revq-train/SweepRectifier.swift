import ArgumentParser
import Laboratory

struct SweepRectifier: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep-rectifier",
        abstract: "Experiment: which network corrects quantised latents best, at several numbers of tokens.",
        discussion: "Identity, closed-form linear, MLP, CNN and ViT, with and without a residual connection, behind the same codes.")

    @OptionGroup var laboratory: LaboratoryArguments
    @Option(parsing: .upToNextOption, help: "Tokens per image.")
    var tokens = [512, 256, 128]
    @Option(help: "Codes of the one codebook.")
    var codes = 4096
    @Option(help: "Passes of Lloyd's algorithm.")
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

    var threads: Threads { laboratory.threads }

    func run() throws {
        let options = RectifierSweep.Options(
            tokens: tokens, codes: codes, passes: passes, epochs: epochs, batch: batch, learningRate: learningRate, width: width, depth: depth, head: head,
            seed: laboratory.seed)
        try options.check()
        try laboratory.run("sweep-rectifier", options: options) { domains in try RectifierSweep(domains[0], options) }
    }
}
