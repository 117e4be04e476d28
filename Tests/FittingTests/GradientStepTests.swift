import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

/// What the options of the training loop do to a step.
@Suite struct GradientStepTests {
    private let shape = LatentShape(channels: 2, height: 2, width: 4)
    private static let vit = RectifierConfiguration(.vit(width: 16, depth: 1, headDimension: 8, scales: [3]), isResidual: true)

    @Test func partsOfABatchAddUpToTheWhole() throws {
        var (whole, parts) = (try trainer(), try trainer(GradientOptions(accumulation: 3)))
        let latents = QuantizerTrainingTests.latents(32, shape)
        for _ in 0..<2 {
            let (a, b) = (whole.advance(on: latents), parts.advance(on: latents))
            #expect(a.quantized == b.quantized && abs(a.rectified - b.rectified) < 1e-6)
        }
        #expect(whole.quantizer.codebooks.values == parts.quantizer.codebooks.values)
        let (pass, split) = (pass(parts: 1), pass(parts: 3))
        #expect(abs(pass.loss - split.loss) < 1e-6)
        #expect(Self.difference(pass.inputGradient.map, split.inputGradient.map) < 1e-6)
        for (a, b) in zip(pass.gradient.tensors, split.gradient.tensors) {
            #expect(Self.difference(a.tensor, b.tensor) < 1e-6 * max(1, a.tensor.sumOfSquares.squareRoot()))
        }
    }

    /// The slope of the loss along the gradient for the quantised latents is its squared norm.
    @Test func theInputGradientIsASlope() {
        let pass = pass(parts: 2)
        let step: Float = 1e-2
        func loss(_ sign: Float) -> Double {
            var direction = pass.inputGradient.map
            direction.multiply(by: sign * step)
            return self.pass(parts: 2, moved: direction).loss
        }
        let squared = pass.inputGradient.map.sumOfSquares
        #expect(squared > 0)
        #expect(abs((loss(1) - loss(-1)) / Double(2 * step) - squared) < 1e-2 * squared)
    }

    @Test func withoutARectifierBothLossesAreOne() throws {
        let latents = QuantizerTrainingTests.latents(32, shape)
        var (detached, joint) = (try trainer(rectifier: .none), try trainer(GradientOptions(loss: .joint), rectifier: .none))
        for _ in 0..<3 { _ = (detached.advance(on: latents), joint.advance(on: latents)) }
        #expect(detached.quantizer.codebooks.values == joint.quantizer.codebooks.values)
    }

    @Test func theJointLossMovesTheCodesThroughTheRectifier() throws {
        let latents = QuantizerTrainingTests.latents(32, shape)
        var (detached, joint) = (try trainer(), try trainer(GradientOptions(loss: .joint)))
        let losses = (0..<40).map { _ in (detached.advance(on: latents), joint.advance(on: latents)) }
        #expect(detached.quantizer.codebooks.values != joint.quantizer.codebooks.values)
        let joints = losses.map(\.1.rectified)
        #expect(joints.suffix(2).reduce(0, +) < joints.prefix(2).reduce(0, +))
    }

    @Test func theAverageFollowsTheWeights() throws {
        let latents = QuantizerTrainingTests.latents(32, shape)
        var (plain, averaged) = (try trainer(), try trainer(GradientOptions(averaging: 0.5)))
        let first = averaged.averagedRectifier.tensors.map(\.tensor)
        for _ in 0..<2 { _ = (plain.advance(on: latents), averaged.advance(on: latents)) }
        let ends = averaged.rectifier.tensors.map(\.tensor)
        #expect(zip(plain.rectifier.tensors, ends).allSatisfy { $0.tensor.values == $1.values })
        #expect(zip(plain.averagedRectifier.tensors, ends).allSatisfy { $0.tensor.values == $1.values })
        // After one step the average keeps 1/11 of what it was, after two 2/12.
        var again = try trainer(GradientOptions(averaging: 0.5))
        _ = again.advance(on: latents)
        let middles = again.rectifier.tensors.map(\.tensor)
        for (index, average) in averaged.averagedRectifier.tensors.enumerated() {
            let expected = zip(zip(first[index].values, middles[index].values), ends[index].values).map { pair, end in
                (pair.0 / 11 + pair.1 * 10 / 11) / 6 + end * 5 / 6
            }
            #expect(zip(average.tensor.values, expected).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func alarmsAreRaisedOnceAtTheEndOfAnEpoch() {
        var alarms = EpochAlarms()
        let bad = ["codebook_use": 0.5, "epoch_distortion": 1, "held_out_distortion": 1.2]
        #expect(alarms.warnings(["codebook_use": 0.1, "distortion": 1]).isEmpty)
        #expect(alarms.warnings(["codebook_use": 0.9, "epoch_distortion": 1, "held_out_distortion": 1.05]).isEmpty)
        let warnings = alarms.warnings(bad)
        #expect(warnings.count == 2 && warnings[0].contains("50 %") && warnings[1].contains("20 %"))
        #expect(alarms.warnings(bad).isEmpty)
    }

    private func trainer(
        _ gradient: GradientOptions = .published, rectifier: RectifierConfiguration = Self.vit
    ) throws -> QuantizerTrainer {
        let layout = try GroupQuantizer.Layout(tokens: 4, codes: 8, latents: 16, codebooks: 4)
        let start = GroupQuantizer(layout, shape: shape, from: QuantizerTrainingTests.latents(32, 16), seed: 1) { false }!
        return QuantizerTrainer(
            start, Rectifier(rectifier, shape: shape, .random(seed: 1)),
            options: .init(epochs: 20, batch: 16, learningRate: 0.01, reset: .none, movesCodes: true, gradient: gradient), imageCount: 32,
            seed: 1)
    }

    private func pass(parts: Int, moved: Tensor? = nil) -> RectifierPass {
        let latents = QuantizerTrainingTests.latents(20, shape)
        var q = latents.images(10..<20)
        if let moved { q.map.add(moved) }
        let rectifier = Rectifier(
            RectifierConfiguration(.vit(width: 16, depth: 1, headDimension: 8, scales: [3]), isResidual: false), shape: shape, .random(seed: 2))
        return RectifierPass(rectifier, q, latents.images(0..<10), parts: parts)
    }

    private static func difference(_ a: Tensor, _ b: Tensor) -> Double {
        zip(a.values, b.values).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }.squareRoot()
    }
}
