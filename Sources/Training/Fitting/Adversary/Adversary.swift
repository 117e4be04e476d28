import Compute
import Files
import Networks

/// A discriminator in training, and the pull of its judgement on drawn pictures.
///
/// Hinge loss (arXiv 1705.02894): the discriminator is to answer above 1 for photographs and below −1 for drawn pictures, which in turn are
/// drawn so that it answers more.
package struct Adversary: Sendable {
    package struct Options: Codable, Equatable, Sendable {
        /// How strongly its judgement pulls at the weights, relative to all other terms of the loss together.
        package var weight: Double
        /// The step at which it begins to learn and to pull.
        package var start: Int
        /// Of its own optimiser; constant.
        package var learningRate: Float

        package init(weight: Double, start: Int, learningRate: Float) {
            (self.weight, self.start, self.learningRate) = (weight, start, learningRate)
        }

        /// What is impossible about the numbers, if anything, named as options of `vae`.
        var problem: String? {
            if !(weight > 0 && weight <= 100) { return "--adversarial-weight is above 0 and at most 100, not \(weight)" }
            if start < 0 { return "--adversarial-start is not below 0, not \(start)" }
            return (0...1).contains(learningRate) ? nil : "--discriminator-learning-rate is in 0...1, not \(learningRate)"
        }
    }

    /// What a step's discriminator makes of some of its pictures.
    struct Judgement {
        /// The hinge loss.
        var loss: Double
        /// The mean answers.
        var ofPhotographs, ofDrawn: Double
        /// For the discriminator's own weights.
        var gradient: Discriminator
        /// For the drawn pictures, that they be taken for photographs: of −(mean answer).
        var pull: Tensor

        /// As the log calls them.
        var terms: [String: Double] {
            ["discriminator_loss": loss, "discriminator_of_photographs": ofPhotographs, "discriminator_of_drawn": ofDrawn]
        }
    }

    private var discriminator: Discriminator
    private var optimizer = AdamW(weightDecay: 0)
    private let options: Options

    init(_ options: Options, _ initializer: Initializer) {
        var initializer = initializer
        (discriminator, self.options) = (Discriminator(&initializer), options)
    }

    /// The discriminator of one step.
    mutating func judge() -> Discriminator.Normalized { discriminator.normalized() }

    /// - Parameter gradient: for the weights of `judge`, added up over the batch and to be scaled by `scale`.
    mutating func learn(_ gradient: consuming Discriminator, as judge: Discriminator.Normalized, scale: Float) {
        optimizer.update(&discriminator, gradient: judge.undivided(gradient), learningRate: options.learningRate, scale: scale)
    }

    /// - Parameter photographs: what was to be drawn, `[n, h, w, 3]`.
    static func judge(_ drawn: Tensor, _ photographs: Tensor, with judge: Discriminator.Normalized) -> Judgement {
        let network = judge.network
        var (kept, other) = (Tape.keeping, Tape.keeping)
        let fake = network.forward(drawn, keeping: &kept)
        let real = network.forward(photographs, keeping: &other)
        let count = Float(fake.count)
        var again = kept
        let pull = network.inputGradient(Tensor(repeating: -1 / count, shape: fake.shape), from: &again)
        var gradient = network.zeroed()
        let (fakes, reals) = (fake.values, real.values)
        network.addGradient(Tensor(fakes.map { $0 > -1 ? 1 / count : 0 }, shape: fake.shape), from: &kept, to: &gradient)
        network.addGradient(Tensor(reals.map { $0 < 1 ? -1 / count : 0 }, shape: real.shape), from: &other, to: &gradient)
        func mean(_ values: [Float], _ term: (Float) -> Float) -> Double { values.reduce(0) { $0 + Double(term($1)) } / Double(count) }
        return Judgement(
            loss: mean(fakes) { max(0, 1 + $0) } + mean(reals) { max(0, 1 - $0) }, ofPhotographs: mean(reals) { $0 }, ofDrawn: mean(fakes) { $0 },
            gradient: gradient, pull: pull)
    }

    /// What the pull's gradient is multiplied by, so that it is as strong as the options say beside the other terms' (the adaptive weight of
    /// arXiv 2012.09841, over all weights). At the pixels it could not be judged: there the pull is smooth, and adds up in the weights, where
    /// the other terms' gradients mostly cancel; so weighed it ran away with the picture within a hundred steps.
    func factor(_ pull: some Parameterized, beside others: some Parameterized) -> Float {
        let own = pull.gradientNorm
        return own > 0 ? Float(options.weight * others.gradientNorm / own) : 0
    }
}

extension Adversary {
    private static let (name, optimizerName, stepName) = ("discriminator", "adversary.optimizer", "adversary.step")

    /// Everything a resumed run needs besides options.
    var state: [(name: String, tensor: Tensor)] {
        [(Self.stepName, Tensor(step: optimizer.step))] + discriminator.named(Self.name) + optimizer.state(prefix: Self.optimizerName)
    }

    init(_ options: Options, restoring file: SafetensorsFile) throws(FileError) {
        self.init(options, .placeholder)
        try discriminator.load(from: file, prefix: Self.name)
        optimizer = try AdamW(
            weightDecay: 0, step: try file.step(Self.stepName), for: discriminator, restoring: file, prefix: Self.optimizerName)
    }
}
