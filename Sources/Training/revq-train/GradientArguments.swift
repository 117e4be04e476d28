import ArgumentParser
import Fitting

extension GradientOptions.Loss: ExpressibleByArgument {}
extension Schedule.Decay: ExpressibleByArgument {}

/// How gradient steps are taken, as options of a command.
struct GradientArguments: ParsableArguments {
    @Option(help: "detached: codes follow the latents, the rectifier the codes, as in the published code. joint: one loss after the rectifier moves both, as in the paper (adam only). (default: detached)")
    var loss: GradientOptions.Loss?
    @Option(help: "How the learning rate falls: constant, exponential (to a twentieth, epoch by epoch) or cosine. (default: exponential)")
    var schedule: Schedule.Decay?
    @Option(help: "Steps in which the learning rate rises from zero. (default: 0)")
    var warmup: Int?
    @Option(help: "Parts in which a batch passes through the rectifier, to save memory. (default: 1)")
    var accumulation: Int?
    @Option(help: "Measure and publish the rectifier's average over about 1 / (1 - this) steps; 0 averages nothing. (default: 0)")
    var averaging: Float?

    /// Sets what was given.
    func change(_ options: inout GradientOptions) {
        options.loss = loss ?? options.loss
        options.schedule.decay = schedule ?? options.schedule.decay
        options.schedule.warmup = warmup ?? options.schedule.warmup
        options.accumulation = accumulation ?? options.accumulation
        options.averaging = averaging ?? options.averaging
    }
}
