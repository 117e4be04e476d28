import ArgumentParser
import Fitting
import Laboratory
import TokenizerCore

struct SweepTokens: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep-tokens",
        abstract: "Experiment: token counts and codebook sizes, with bits on the axis and what theory allows beside the curves.",
        discussion: "Combinations that the latents do not allow are listed in the report and left out.")

    @OptionGroup var laboratory: LaboratoryArguments
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
        try laboratory.run("sweep-tokens", options: options) { domains in try TokenSweep(domains[0], options) }
    }
}
