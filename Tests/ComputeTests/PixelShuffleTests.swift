import TestSupport
import Testing

@testable import Compute

@Suite struct PixelShuffleTests {
    @Test("Each tile's pixels become one, channel by channel, and the way back is exact", arguments: InstructionSet.supported)
    func order(_ set: InstructionSet) {
        var values = TestValues(seed: 1)
        for (c, f) in [(3, 32), (3, 2), (3, 5), (1, 4), (2, 3), (64, 2)] {
            let x = values.tensor([2, 2 * f, 3 * f, c])
            let y = ComputeContext.with(\.instructionSet, set) { PixelShuffle.unshuffle(x, factor: f) }
            #expect(y.shape == [2, 2, 3, c * f * f])
            let (from, to) = (x.values, y.values)
            var isRight = true
            for image in 0..<2 {
                for row in 0..<2 * f {
                    for column in 0..<3 * f {
                        for channel in 0..<c {
                            let tile = (image * 2 + row / f) * 3 + column / f
                            let place = channel * f * f + row % f * f + column % f
                            isRight = isRight && to[tile * c * f * f + place] == from[((image * 2 * f + row) * 3 * f + column) * c + channel]
                        }
                    }
                }
            }
            #expect(isRight, "\(c) channels, factor \(f)")
            #expect(PixelShuffle.shuffle(y, factor: f).values == from)
        }
    }
}
