import Glibc
import Testing

@testable import Compute
@testable import Fitting

@Suite struct TestChannelTests {
    /// Two channels above the water and one below: D = 4^(−bits/2) · √(16 · 4), solved by hand.
    @Test func waterFillsTheVariances() {
        let channel = TestChannel(variances: [16, 4, 0.25], bits: 4)
        for (distortion, expected) in zip(channel.distortions, [0.5 / 16, 0.5 / 4, 1] as [Float]) {
            #expect(abs(distortion - expected) < 1e-6)
        }
    }

    @Test(arguments: [0.0, 0.5, 10, 300])
    func spendsExactlyItsBits(_ bits: Double) {
        let variances = (1...40).map { pow(Double($0), -1.5) }
        let rate = TestChannel(variances: variances, bits: bits).distortions.reduce(0) { $0 - log2(Double($1)) / 2 }
        #expect(abs(rate - bits) < 1e-4 * max(1, bits))
    }

    /// What the nearest of good codes would do: less variance by the distortion, and an error that the result says nothing about.
    @Test func behavesLikeAQuantiser() {
        let shares: [Float] = [0, 0.1, 0.6, 1]
        var random = RandomSource(seed: 3, stream: 1)
        var z = Tensor(uninitialized: [4, 64, 64, 4])
        random.fill(normal: &z, mean: 2, deviation: 3)
        let q = TestChannel(distortions: shares).passage(of: z, &random).output
        let (x, y) = (z.values, q.values)
        for (channel, share) in shares.map(Double.init).enumerated() {
            let indices = stride(from: channel, to: x.count, by: 4)
            func mean(_ value: (Int) -> Double) -> Double { indices.reduce(0) { $0 + value($1) } / Double(x.count / 4) }
            #expect(abs(mean { Double(y[$0]) } - 2) < 0.1)
            #expect(abs(mean { pow(Double(y[$0]) - 2, 2) } - 9 * (1 - share)) < 0.3)
            #expect(abs(mean { pow(Double(x[$0] - y[$0]), 2) } - 9 * share) < 0.3)
            #expect(abs(mean { Double(x[$0] - y[$0]) * (Double(y[$0]) - 2) }) < 0.3)
        }
    }

    /// Against slopes of `Σ w·q`, with the same noise on both sides; the way by means and deviations is part of it.
    @Test func gradientsAreSlopes() {
        let channel = TestChannel(distortions: [0.05, 0.5])
        var random = RandomSource(seed: 5, stream: 1)
        var (z, weights) = (Tensor(uninitialized: [1, 2, 3, 2]), Tensor(uninitialized: [1, 2, 3, 2]))
        random.fill(normal: &z, mean: 1)
        random.fill(normal: &weights)
        func passage(_ z: Tensor) -> TestChannel.Passage {
            var noise = RandomSource(seed: 6, stream: 1)
            return channel.passage(of: z, &noise)
        }
        func value(moving index: Int, by step: Float) -> Double {
            var moved = z
            moved.withMutablePointer { $0[index] += step }
            return zip(passage(moved).output.values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let gradient = passage(z).backward(weights).values
        for index in gradient.indices {
            let slope = (value(moving: index, by: 1e-2) - value(moving: index, by: -1e-2)) / 2e-2
            #expect(abs(slope - Double(gradient[index])) < 2e-3 * max(1, abs(slope)), "element \(index)")
        }
    }
}
