import FoundationEssentials
import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import Networks

@Suite struct PatchBasisTests {
    /// Twelve correlated columns, of which a few directions carry most.
    private static let patches: Tensor = {
        var random = RandomSource(seed: 9, stream: 1)
        var (sources, mixing) = (Tensor(uninitialized: [600, 12]), Tensor(uninitialized: [12, 12]))
        random.fill(normal: &sources)
        random.fill(normal: &mixing)
        let (s, m) = (sources.values, mixing.values)
        return Tensor(
            (0..<600 * 12).map { i in
                (0..<12).reduce(Float(i % 12)) { $0 + s[i / 12 * 12 + $1] * m[$1 * 12 + i % 12] / Float(1 + $1 * $1) }
            }, shape: [600, 12])
    }()

    /// The defining property: what the code loses is exactly the variance that its components do not carry.
    @Test func losesNoMoreThanTheVarianceItLeavesOut() {
        let basis = PatchBasis(patches: Self.patches, components: 4, seed: 1)
        let x = Self.patches.values.map(Double.init)
        var (lost, total) = (0.0, 0.0)
        for row in 0..<600 {
            let centered = (0..<12).map { x[row * 12 + $0] - basis.mean[$0] }
            let weights = basis.components.map { component in zip(component, centered).reduce(0) { $0 + $1.0 * $1.1 } }
            let length = centered.reduce(0) { $0 + $1 * $1 }
            total += length / 600
            lost += (length - weights.reduce(0) { $0 + $1 * $1 }) / 600
        }
        #expect(abs(lost - (total - basis.variances.reduce(0, +))) < 1e-5 * total)
        #expect(basis.variances == basis.variances.sorted(by: >))
        for (i, left) in basis.components.enumerated() {
            for (j, right) in basis.components.enumerated() {
                #expect(abs(zip(left, right).reduce(0) { $0 + $1.0 * $1.1 } - (i == j ? 1 : 0)) < 1e-9)
            }
        }
    }

    /// Any other directions carry less: the components are an eigenbasis, which the covariance only stretches.
    @Test func componentsAreEigenvectors() {
        let basis = PatchBasis(patches: Self.patches, components: 4, seed: 1)
        let (sums, products) = Self.patches.moments()
        for (component, variance) in zip(basis.components, basis.variances) {
            for i in 0..<12 {
                let stretched = (0..<12).reduce(0.0) {
                    $0 + (products[i * 12 + $1] / 600 - sums[i] / 600 * sums[$1] / 600) * component[$1]
                }
                #expect(abs(stretched - variance * component[i]) < 1e-4 * basis.variances[0])
            }
        }
    }

    /// The networks beside the patch code start by adding nothing, whatever their random weights are.
    @Test func aNewAutoencoderIsThePatchCode() throws {
        let configuration = try TinyTraining.architecture()
        var random = RandomSource(seed: 2, stream: 1)
        var pixels = Tensor(uninitialized: [1, 16, 16, 3])
        random.fill(normal: &pixels)
        let patches = Autoencoder.patches(of: pixels, factor: 4)
        let basis = PatchBasis(patches: patches, components: 48, seed: 1)
        var model = Autoencoder(configuration, .random(seed: 3))
        model.setPatchCode(mean: basis.mean, basis: basis.components, scale: 0.5)
        // All 48 components of a 4×4 patch: the code is the identity.
        for (drawn, pixel) in zip(model(pixels).values, pixels.values) { #expect(abs(drawn - pixel) < 1e-4) }
    }

    @Test(arguments: TrainedPart.allCases)
    func trainingMovesEverythingButThePatchCode(part: TrainedPart) throws {
        let configuration = try TinyTraining.architecture()
        let start = Autoencoder(configuration, .random(seed: 3))
        var trainer = AutoencoderTrainer(
            start, variances: [Double](repeating: 1, count: 48),
            options: .init(
                batch: 2, shards: 1, steps: 8, learningRate: 1e-2, schedule: Schedule(.cosine), weightDecay: 0.1, clip: 1, latentBits: 60,
                averaging: 0.9,
                part: part),
            seed: 1)
        var random = RandomSource(seed: 4, stream: 1)
        var pixels = Tensor(uninitialized: [2, 16, 16, 3])
        random.fill(normal: &pixels, deviation: 0.3)
        for _ in 0..<8 { #expect(trainer.train(on: pixels).isFinite) }
        for (before, after) in zip(start.tensors, trainer.model.tensors) {
            let isPatchCode = before.path.contains("patch_skip")
            #expect((before.role == .fixed) == isPatchCode)
            let isTail = ["decoder.up_blocks.1.", "decoder.norm_out.", "decoder.conv_out."].contains(where: before.path.hasPrefix)
            let isEncoder = before.path.hasPrefix("encoder.")
            let isLeft = isPatchCode || (isEncoder ? !part.movesEncoder : part == .encoder || part == .tail && !isTail)
            #expect((before.tensor.values == after.tensor.values) == isLeft, "\(before.path)")
        }
        // The average of what is left alone is that to the bit, too.
        for (before, after) in zip(start.tensors, trainer.average.tensors) where before.path.hasPrefix("encoder.") && !part.movesEncoder {
            #expect(before.tensor.values == after.tensor.values, "\(before.path)")
        }
    }
}
