import ArgumentParser
import Laboratory

struct AblateReset: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Experiment: what resetting unused codes is worth, over codebooks of growing size.",
        discussion: "The paper's training, with its numbers of images per code: sizes follow from how many images there are.")

    @OptionGroup var laboratory: LaboratoryArguments
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
        try laboratory.run("ablate-reset", options: options) { domains in try ResetAblation(domains[0], options) }
    }
}
