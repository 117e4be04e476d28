import ArgumentParser
import Fitting

extension PictureLoss.Distance: ExpressibleByArgument {}

/// What a training of pictures lessens.
struct PictureLossOptions: ParsableArguments {
    @Option(
        help:
            "What is lessened of the pixels' differences: mse, their squares; l1, their size; charbonnier, l1 that is smooth at nought.")
    var loss = PictureLoss.Distance.mse

    @Option(
        parsing: .upToNextOption,
        help: "Perceptual networks whose distances are lessened too: files that Tools/perceptual.py writes (ST-LPIPS or LPIPS).")
    var perceptual: [String] = []

    @Option(parsing: .upToNextOption, help: "For each of --perceptual, what its distance is multiplied by. (default: 1 each)")
    var perceptualWeight: [Double] = []

    @Option(
        help: "Train a patch discriminator beside, whose judgement pulls so strongly, relative to the rest of the loss together; 0 for none.")
    var adversarialWeight = 0.0

    @Option(help: "The step at which the discriminator begins to learn and to pull.")
    var adversarialStart = 0

    @Option(help: "Of the discriminator; constant.")
    var discriminatorLearningRate: Float = 2e-4

    func validate() throws {
        guard perceptualWeight.isEmpty || perceptualWeight.count == perceptual.count else {
            throw ValidationError(
                "--perceptual-weight has a number for each network: \(perceptualWeight.count) for \(perceptual.count)")
        }
        guard adversarialWeight >= 0 else { throw ValidationError("--adversarial-weight is not below 0, not \(adversarialWeight)") }
    }

    /// Nil for the mean squared error alone.
    var chosen: PictureLoss.Options? {
        let weights = perceptualWeight.isEmpty ? perceptual.map { _ in 1 } : perceptualWeight
        let options = PictureLoss.Options(distance: loss, perceptual: zip(perceptual, weights).map { .init(network: $0, weight: $1) })
        return options == .squaredError ? nil : options
    }

    /// Nil where none is trained.
    var adversary: Adversary.Options? {
        guard adversarialWeight > 0 else { return nil }
        return .init(weight: adversarialWeight, start: adversarialStart, learningRate: discriminatorLearningRate)
    }
}
