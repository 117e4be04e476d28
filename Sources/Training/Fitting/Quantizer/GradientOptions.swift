import Networks

/// How gradient steps are taken, beyond their number, size and rate.
package struct GradientOptions: Codable, Equatable, Sendable {
    /// What the codes and the rectifier are moved by.
    package enum Loss: String, Codable, Sendable, CaseIterable {
        /// MSE(z, q) moves the codes and MSE(z, g(q)) the rectifier; the published code's.
        case detached
        /// MSE(z, g(q)) moves both, the codes through their values; the paper's equation.
        case joint
    }

    package var loss: Loss
    package var schedule: Schedule
    /// Parts in which a batch passes through the rectifier; their gradients are added up, and memory holds one part.
    package var accumulation: Int
    /// The rectifier that is measured and published is an average over about 1 / (1 − this) steps; 0 averages nothing.
    package var averaging: Float
    /// What a rectifier is trained by in the pictures that the decoder draws; nil for the latents themselves.
    package var drawn: PictureLoss.Options?

    /// What the published code does.
    package static let published = GradientOptions()

    package init(
        loss: Loss = .detached, schedule: Schedule = Schedule(.exponential), accumulation: Int = 1, averaging: Float = 0,
        drawn: PictureLoss.Options? = nil
    ) {
        (self.loss, self.schedule, self.accumulation, self.averaging, self.drawn) = (loss, schedule, accumulation, averaging, drawn)
    }

    /// What is impossible about the numbers, if anything, named as options of `fit`.
    ///
    /// - Parameters:
    ///   - batch: images per step.
    ///   - movesCodes: whether the codes are trained by gradient.
    ///   - hasAutoencoder: whether there is a decoder to draw with.
    func problem(batch: Int, movesCodes: Bool, hasAutoencoder: Bool, rectifier: RectifierConfiguration) -> String? {
        if !(1...batch).contains(accumulation) { return "--accumulation is in 1...\(batch), the batch, not \(accumulation)" }
        if !(0..<1).contains(averaging) { return "--averaging is in 0..<1, not \(averaging)" }
        if let problem = schedule.problem ?? drawn?.problem { return problem }
        if drawn != nil {
            if !rectifier.network.isTrained { return "--rectifier-loss is what a rectifier is trained by: it goes with --rectifier vit, mlp or cnn" }
            if !hasAutoencoder { return "--rectifier-loss pixel and perceptual draw pictures: they need --vae" }
        }
        guard loss == .joint else { return nil }
        if !movesCodes { return "--loss joint moves the codes: it goes with --method adam" }
        if rectifier.network.isSolved { return "--loss joint trains codes and rectifier together, a linear rectifier is solved for afterwards" }
        return nil
    }
}
