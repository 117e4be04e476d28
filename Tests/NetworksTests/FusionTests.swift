import TestSupport
import Testing

@testable import Compute
@testable import Networks

/// Where nothing is kept, layers compute in fewer passes; the numbers are the same.
struct FusionTests {
    private func expectEqual(_ layer: some Layer, _ x: Tensor) {
        var kept = Tape.keeping
        let y = layer.forward(x, keeping: &kept)
        #expect(layer(x).values == y.values)
    }

    @Test func blocksGiveTheSameBitsWhetherTheyKeepOrNot() {
        var values = TestValues(seed: 9)
        var initializer = Initializer.random(seed: 1)
        let x = values.tensor([2, 6, 10, 32])
        expectEqual(ResBlock(channels: 32, norm: .rms, activation: .silu, &initializer), x)
        expectEqual(EfficientViTBlock(channels: 32, headDimension: 8, scales: [5], &initializer), x)
        expectEqual(ViTRectifier(channels: 32, width: 64, depth: 1, headDimension: 32, scales: [3], &initializer), x)
    }

    @Test func enlargingConvolutionsAgree() {
        var values = TestValues(seed: 10)
        var initializer = Initializer.random(seed: 2)
        // Large enough for Winograd's algorithm, which then never forms the larger picture.
        let x = values.tensor([1, 9, 11, 32])
        let layer = Upsampling(32, 32, kind: .interpolate, hasShortcut: true, &initializer)
        var kept = Tape.keeping
        let y = layer.forward(x, keeping: &kept)
        #expect(relativeError(layer(x), y.values.map(Double.init)) < 2e-6)
    }
}
