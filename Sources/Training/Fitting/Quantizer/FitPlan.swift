import Networks

/// What one fit does, step by step: passes of Lloyd's algorithm, epochs of gradient steps, then the solution for a linear rectifier.
struct FitPlan: Sendable {
    let start: QuantizerOptions.Start
    /// Of Lloyd's algorithm: for each stage, and for all of them, one after the other.
    let passesOfStage, passes: Int
    let gradient: QuantizerTrainer.Options
    let rectifier: RectifierConfiguration
    /// How many images there are to learn from.
    let images: Int
    let seed: UInt64

    init(_ options: QuantizerRun.Options, images: Int) {
        (start, rectifier, self.images, seed) = (options.quantizer.start, options.rectifier, images, options.seed)
        passesOfStage = options.method == .lloyd ? options.passes : 0
        passes = passesOfStage * (options.quantizer.stages ?? 1)
        // Behind fixed codes only a network has something to learn.
        let epochs = options.method == .lloyd && !options.rectifier.network.isTrained ? 0 : options.epochs
        gradient = QuantizerTrainer.Options(
            epochs: epochs, batch: options.batch, learningRate: options.learningRate, reset: options.reset, movesCodes: options.method == .adam,
            gradient: options.gradient)
    }

    /// Where the gradient steps end, and where everything does.
    var gradientEnd: Int { passes + gradient.steps(images: images) }
    var totalSteps: Int { gradientEnd + (rectifier.network.isSolved ? 1 : 0) }

    /// How many images the first `steps` steps read: what takes the time.
    func images(inSteps steps: Int) -> Int {
        let wholes = min(steps, passes) + max(0, steps - gradientEnd)
        return wholes * images + gradient.images(inSteps: min(max(0, steps - passes), gradientEnd - passes), of: images)
    }
}
