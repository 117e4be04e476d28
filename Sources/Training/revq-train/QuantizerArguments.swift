import ArgumentParser
import Fitting
import TokenizerCore

extension CodebookReset: ExpressibleByArgument {}
extension QuantizerOptions.Distortion: ExpressibleByArgument {}
extension QuantizerOptions.Sharing: ExpressibleByArgument {}
extension QuantizerOptions.Start: ExpressibleByArgument {}
extension Grouping: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(name: argument)
    }

    package var defaultValueDescription: String { name }
}

/// What a quantiser is to be, as options of a command.
struct QuantizerArguments: ParsableArguments {
    @Option(help: "Tokens per image. (default: \(FitQuantizer.usual.quantizer.tokens))")
    var tokens: Int?
    @Option(help: "Codes per codebook. (default: \(FitQuantizer.usual.quantizer.codes); in transfer \(Transfer.usual.codes))")
    var codes: Int?
    @Option(
        help:
            "What a token is made of: strip, block-HxW (such as block-2x2), spatial, or klt-S (decorrelated squares of S×S sites). (default: \(FitQuantizer.usual.quantizer.grouping.name))"
    )
    var grouping: Grouping?
    @Option(
        help:
            "What codes make small: normalised, or weighted by what the decoder feels (needs --vae). (default: \(FitQuantizer.usual.quantizer.distortion.rawValue))"
    )
    var distortion: QuantizerOptions.Distortion?
    @Option(
        help:
            "Which tokens share a codebook: untied, channel (or set of channels or components), or one for all. (default: \(FitQuantizer.usual.quantizer.sharing.rawValue))"
    )
    var codebooks: QuantizerOptions.Sharing?
    @Option(help: "Where codes begin: sample or k-means++. (default: \(FitQuantizer.usual.quantizer.start.rawValue))")
    var start: QuantizerOptions.Start?
    @Option(
        help:
            "Codes that are added up for each vector: the first quantises it, each further one what is left. The tokens are those of all stages, so that vectors are as many times as long. (default: 1)"
    )
    var stages: Int?

    /// Sets what was given.
    func change(_ options: inout QuantizerOptions) {
        options.tokens = tokens ?? options.tokens
        options.codes = codes ?? options.codes
        options.grouping = grouping ?? options.grouping
        options.distortion = distortion ?? options.distortion
        options.sharing = codebooks ?? options.sharing
        options.start = start ?? options.start
        // One is what it is without them.
        if let stages { options.stages = stages == 1 ? nil : stages }
    }

    /// Sets what was not given.
    mutating func complete(_ options: QuantizerOptions) {
        (tokens, codes, grouping, distortion) = (options.tokens, options.codes, options.grouping, options.distortion)
        (codebooks, start, stages) = (options.sharing, options.start, options.stages ?? 1)
    }
}

extension GradientOptions.Loss: ExpressibleByArgument {}
extension Schedule.Decay: ExpressibleByArgument {}

/// How gradient steps are taken, as options of a command.
struct GradientArguments: ParsableArguments {
    @Option(
        help:
            "detached: codes follow the latents, the rectifier the codes, as in the published code. joint: one loss after the rectifier moves both, as in the paper (adam only). (default: \(FitQuantizer.usual.gradient.loss.rawValue))"
    )
    var loss: GradientOptions.Loss?
    @Option(
        help:
            "How the learning rate falls: constant, exponential (to a twentieth, epoch by epoch) or cosine. (default: \(FitQuantizer.usual.gradient.schedule.decay.rawValue))"
    )
    var schedule: Schedule.Decay?
    @Option(help: "Steps in which the learning rate rises from zero. (default: \(FitQuantizer.usual.gradient.schedule.warmup))")
    var warmup: Int?
    @Option(help: "Parts in which a batch passes through the rectifier, to save memory. (default: \(FitQuantizer.usual.gradient.accumulation))")
    var accumulation: Int?
    @Option(
        help:
            "Measure and publish the rectifier's average over about 1 / (1 - this) steps; 0 averages nothing. (default: \(Int(FitQuantizer.usual.gradient.averaging)))"
    )
    var averaging: Float?
    @OptionGroup var drawn: RectifierLossOptions

    /// Sets what was given.
    func change(_ options: inout GradientOptions) {
        options.loss = loss ?? options.loss
        options.schedule.decay = schedule ?? options.schedule.decay
        options.schedule.warmup = warmup ?? options.schedule.warmup
        options.accumulation = accumulation ?? options.accumulation
        options.averaging = averaging ?? options.averaging
        options.drawn = drawn.chosen
    }

    /// Sets what was not given.
    mutating func complete(_ options: GradientOptions) {
        (loss, schedule, warmup) = (options.loss, options.schedule.decay, options.schedule.warmup)
        (accumulation, averaging) = (options.accumulation, options.averaging)
    }
}
