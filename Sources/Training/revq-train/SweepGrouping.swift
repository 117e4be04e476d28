import ArgumentParser
import Fitting
import Laboratory
import TokenizerCore

struct SweepGrouping: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep-grouping",
        abstract: "Experiment: what a token should be made of, what counts as near, and which tokens share codes, at equal bits.",
        discussion: "Combinations that the latents do not allow are listed in the report and left out.")

    @OptionGroup var laboratory: LaboratoryArguments
    @Option(help: "Tokens per image.")
    var tokens = 512
    @Option(help: "Codes per codebook.")
    var codes = 1024
    @Option(parsing: .upToNextOption, help: "strip, block-HxW, spatial or klt-S. (default: one of each, blocks as square as possible, klt-1 and klt-2)")
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
            tokens: tokens, codes: codes, groupings: groupings.isEmpty ? nil : groupings, distortions: distortions, sharings: codebooks, passes: passes, seed: laboratory.seed)
        try laboratory.run("sweep-grouping", options: options) { domains in try GroupingSweep(domains[0], options) }
    }
}
