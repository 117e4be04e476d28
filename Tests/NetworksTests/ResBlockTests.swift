import Testing

@testable import Compute
@testable import Fitting
@testable import Networks

@Suite struct ResBlockTests {
    /// A new block passes its input on, and still learns: the norm's weight has a gradient, and once it has moved all else does.
    @Test(arguments: [Normalization.Kind.rms, .batch])
    func startsAsTheIdentity(_ norm: Normalization.Kind) {
        var initializer = Initializer.random(seed: 3)
        var block = ResBlock(channels: 16, norm: norm, activation: .silu, &initializer)
        var random = RandomSource(seed: 4, stream: 1)
        var (x, dy) = (Tensor(uninitialized: [1, 5, 6, 16]), Tensor(uninitialized: [1, 5, 6, 16]))
        random.fill(normal: &x)
        random.fill(normal: &dy)
        #expect(block(x).values == x.values)
        var optimizer = AdamW(weightDecay: 0)
        for step in 0..<2 {
            var kept = Tape.keeping
            _ = block.forward(x, keeping: &kept)
            var gradient = block.zeroed()
            _ = block.backward(dy, from: &kept, into: &gradient)
            for (path, role, tensor) in gradient.tensors where role == .learned {
                #expect((tensor.sumOfSquares > 0) == (step == 1 || path.hasPrefix("norm")), "\(path) in step \(step)")
            }
            optimizer.update(&block, gradient: gradient, learningRate: 0.1)
        }
    }
}
