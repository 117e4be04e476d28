import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

/// What a rectifier is trained by where its answers are drawn first.
@Suite struct RectifierLossTests {
    private static let shape = LatentShape(channels: 48, height: 2, width: 2)

    /// All components of a 4×4 patch, so that the picture is the latents turned: errors of pixels are those of the latents themselves, each as
    /// large as its deviation makes it.
    @Test func drawnByAnOrthonormalCodeItIsTheErrorOfTheLatents() throws {
        let scale = 0.5
        let (difference, normalizer, y, z) = try Self.example(decoder: Self.patchCode(scale: scale))
        let deviation = normalizer.deviation.values
        let errors = zip(y.values, z.values).enumerated().map { i, pair in
            Double((pair.0 - pair.1) * deviation[i % deviation.count]) / scale
        }
        let expected = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
        let found = difference(y, z)
        #expect(abs(found.value - expected) < 1e-4 * expected)
        for (i, slope) in found.gradient.values.enumerated() {
            let own = 2 * errors[i] * Double(deviation[i % deviation.count]) / scale / Double(errors.count)
            #expect(abs(Double(slope) - own) < 1e-5)
        }
    }

    /// Through a network: the slope of the loss along the gradient is the gradient's squared norm.
    @Test func theGradientIsASlope() throws {
        let configuration = try TinyTraining.architecture()
        let (difference, _, y, z) = try Self.example(decoder: Autoencoder(configuration, .random(seed: 3)).decoder)
        let gradient = difference(y, z).gradient
        func loss(_ step: Float) -> Double {
            var (moved, direction) = (y, gradient)
            direction.multiply(by: step)
            moved.add(direction)
            return difference(moved, z).value
        }
        let (squared, step) = (gradient.sumOfSquares, Float(0.1))
        #expect(squared > 0)
        #expect(abs((loss(step) - loss(-step)) / Double(2 * step) - squared) < 1e-2 * squared)
    }

    @Test func imagesCountAlikeOnAnyNumberOfThreads() throws {
        let configuration = try TinyTraining.architecture()
        let (difference, _, y, z) = try Self.example(decoder: Autoencoder(configuration, .random(seed: 3)).decoder)
        let whole = ComputeContext.with(\.threads, 1) { difference(y, z) }
        let shared = ComputeContext.with(\.threads, 3) { difference(y, z) }
        #expect(whole.value == shared.value && whole.gradient.values == shared.gradient.values)
        let each = (0..<y.n).map { difference(y.images($0..<$0 + 1), z.images($0..<$0 + 1)).value }
        #expect(abs(each.reduce(0, +) / Double(y.n) - whole.value) < 1e-12)
    }

    private static func patchCode(scale: Double) throws -> AnyLayer {
        let configuration = try TinyTraining.architecture()
        var random = RandomSource(seed: 2, stream: 1)
        var pixels = Tensor(uninitialized: [1, 16, 16, 3])
        random.fill(normal: &pixels)
        let basis = PatchBasis(patches: Autoencoder.patches(of: pixels, factor: 4), components: 48, seed: 1)
        var model = Autoencoder(configuration, .random(seed: 3))
        model.setPatchCode(mean: basis.mean, basis: basis.components, scale: scale)
        return model.decoder
    }

    /// Three images' latents, what they should have been, and statistics of others.
    private static func example(decoder: AnyLayer) throws -> (DrawnDifference, LatentNormalizer, y: Tensor, z: Tensor) {
        var random = RandomSource(seed: 5, stream: 1)
        func normal(_ images: Int) -> Tensor {
            var tensor = Tensor(uninitialized: [images] + shape.map)
            random.fill(normal: &tensor)
            return tensor
        }
        let normalizer = LatentNormalizer(fitting: Latents(normal(20)))
        let (y, z) = (normal(3), normal(3))
        return (DrawnDifference(decoder, normalizer, .squaredError), normalizer, y, z)
    }
}
