import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import Networks

/// The discriminator's gradients against slopes of its loss, and what its training does.
@Suite struct AdversaryTests {
    private static let options = Adversary.Options(weight: 0.5, start: 0, learningRate: 1e-3)

    private func picture(_ seed: UInt64, deviation: Float = 0.5) -> Tensor {
        var (random, tensor) = (RandomSource(seed: seed, stream: 1), Tensor(uninitialized: [2, 32, 32, 3]))
        random.fill(normal: &tensor, mean: 0, deviation: deviation)
        return tensor
    }

    @Test func theLargestSingularValueOfANormalizedConvolutionTendsToOne() {
        var initializer = Initializer.random(seed: 3)
        var discriminator = Discriminator(&initializer)
        for _ in 0..<50 { _ = discriminator.normalized() }
        let network = discriminator.normalized().network
        for (path, role, weight) in network.tensors where role == .learned && path.hasSuffix("weight") {
            let norm = SpectralNorm(weight, left: Tensor(repeating: 1, shape: [weight.shape[0]]))
            #expect(norm.value < 1.02, "\(path)")
        }
    }

    @Test func memoryIsKnownBeforehand() {
        var initializer = Initializer.random(seed: 3)
        var discriminator = Discriminator(&initializer)
        let judge = discriminator.normalized()
        let (drawn, photographs) = (Tensor(repeating: 0.1, shape: [2, 96, 96, 3]), Tensor(repeating: 0.2, shape: [2, 96, 96, 3]))
        _ = Adversary.judge(drawn, photographs, with: judge)
        let profile = ComputeProfile()
        ComputeContext.with(\.profile, profile) { _ = Adversary.judge(drawn, photographs, with: judge) }
        let estimate = 4.5 * Discriminator.floatsPerPixel * Double(2 * 96 * 96)
        #expect(Double(profile.peakBytes) <= estimate)
        #expect(estimate <= 3 * Double(profile.peakBytes))
    }

    /// What the gradient for divided weights becomes for the undivided ones, held against the slope of a loss through the division.
    @Test func theGradientThroughTheDivisionIsTheSlope() {
        var random = RandomSource(seed: 5, stream: 1)
        var (weight, target) = (Tensor(uninitialized: [4, 3, 3, 3]), Tensor(uninitialized: [4, 3, 3, 3]))
        random.fill(normal: &weight)
        random.fill(normal: &target)
        var left = Tensor(repeating: 0.5, shape: [4])
        for _ in 0..<200 { left = SpectralNorm(weight, left: left).left }
        func loss(_ weight: Tensor) -> (Double, SpectralNorm, Tensor) {
            let norm = SpectralNorm(weight, left: left)
            var divided = weight
            divided.multiply(by: Float(1 / norm.value))
            let (value, gradient) = SquaredError.loss(divided, target)
            return (value, norm, gradient)
        }
        var (_, norm, gradient) = loss(weight)
        norm.undivide(&gradient)
        for index in stride(from: 0, to: weight.count, by: 7) {
            func moved(_ step: Float) -> Double {
                var moved = weight
                moved.withMutablePointer { $0[index] += step }
                return loss(moved).0
            }
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2
            #expect(abs(slope - Double(gradient.values[index])) < 2e-4, "\(index)")
        }
    }

    @Test func itLearnsToTellWhatItIsShown() {
        var adversary = Adversary(Self.options, .random(seed: 1))
        let (photographs, drawn) = (picture(1), picture(2, deviation: 0.1))
        var losses: [Double] = []
        for _ in 0..<60 {
            let judge = adversary.judge()
            let judgement = Adversary.judge(drawn, photographs, with: judge)
            losses.append(judgement.loss)
            adversary.learn(judgement.gradient, as: judge, scale: 1)
        }
        #expect(abs(losses[0] - 2) < 0.5)
        #expect(losses.last! < 0.5 * losses[0])
    }

    @Test func itsPullMakesPicturesLookBetterToIt() {
        var adversary = Adversary(Self.options, .random(seed: 1))
        let (photographs, drawn) = (picture(1), picture(2, deviation: 0.1))
        let judge = adversary.judge()
        let first = Adversary.judge(drawn, photographs, with: judge)
        var (moved, step) = (drawn, first.pull)
        step.multiply(by: -0.1 / Float(first.pull.sumOfSquares.squareRoot()))
        moved.add(step)
        #expect(Adversary.judge(moved, photographs, with: judge).ofDrawn > first.ofDrawn)
    }

    @Test func itsPullIsAsStrongAsItsWeightSays() {
        let adversary = Adversary(Self.options, .random(seed: 1))
        var initializer = Initializer.random(seed: 4)
        let others = Conv2d(3, 8, &initializer)
        var pull = Conv2d(3, 8, &initializer)
        pull.scale(by: adversary.factor(pull, beside: others))
        #expect(abs(pull.gradientNorm / others.gradientNorm - 0.5) < 1e-5)
        #expect(adversary.factor(others.zeroed(), beside: others) == 0, "no pull, and nothing that is not a number")
    }

    /// Of the weights that are trained, not of those beside them.
    @Test(arguments: TrainedPart.allCases)
    func itsPullIsWeighedOverWhatIsTrained(part: TrainedPart) throws {
        var (pixels, random) = (Tensor(uninitialized: [2, 32, 32, 3]), RandomSource(seed: 4, stream: 1))
        random.fill(normal: &pixels, deviation: 0.3)
        let model = Autoencoder(try TinyTraining.architecture(), .random(seed: 1))
        func norm(_ adversary: Adversary.Options?) -> Double {
            var trainer = AutoencoderTrainer(
                model, variances: [Double](repeating: 1, count: model.configuration.latentChannels),
                options: .init(
                    batch: 2, shards: 1, steps: 4, learningRate: 1e-3, schedule: Schedule(.constant, warmup: 0), weightDecay: 0, clip: 1,
                    latentBits: nil, averaging: 0.9, part: part, adversary: adversary), seed: 1)
            _ = trainer.train(on: pixels)
            // The networks start as nothing: their first step moves only what adds them.
            _ = trainer.train(on: pixels)
            return trainer.gradientNorm
        }
        let (alone, weight) = (norm(nil), 8.0)
        let together = norm(.init(weight: weight, start: 1, learningRate: 1e-3))
        #expect(together > (weight - 1) * alone * 0.999 && together < (weight + 1) * alone * 1.001, "\(together) beside \(alone)")
    }

    @Test func aStepThatIsNoNumberChangesNothing() throws {
        let model = Autoencoder(try TinyTraining.architecture(), .random(seed: 1))
        var trainer = AutoencoderTrainer(
            model, variances: [Double](repeating: 1, count: model.configuration.latentChannels),
            options: .init(
                batch: 2, shards: 2, steps: 4, learningRate: 1e-3, schedule: Schedule(.constant, warmup: 0), weightDecay: 0, clip: 1,
                latentBits: nil, averaging: 0.9, part: .all, adversary: Self.options), seed: 1)
        let before = trainer.state
        #expect(trainer.train(on: Tensor(repeating: .nan, shape: [2, 32, 32, 3])).isNaN)
        let after = trainer.state
        #expect(before.map(\.name) == after.map(\.name))
        for (old, new) in zip(before, after) { #expect(old.tensor.values == new.tensor.values, "\(old.name)") }
    }
}
