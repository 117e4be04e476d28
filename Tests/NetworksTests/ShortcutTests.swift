import TestSupport
import Testing

@testable import Compute
@testable import Networks

struct ShortcutTests {
    /// Channels and how many of the unshuffled ones share one on the other side; DC-AE has 1, 2, 4 and 8.
    static let shares = [[32, 1], [24, 2], [20, 4], [16, 8], [6, 3], [5, 4], [10, 2]]

    @Test(arguments: InstructionSet.supported, shares)
    func downAddsTheMeans(set: InstructionSet, extents: [Int]) {
        let (c, group) = (extents[0], extents[1])
        var values = TestValues(seed: 3)
        let (x, y) = (values.tensor([2, 4, 6, c]), values.tensor([2, 2, 3, 4 * c / group]))
        var expected = y
        expected.add(ChannelGroups.mean(PixelShuffle.unshuffle(x, factor: 2), size: group))
        var sum = y
        ComputeContext.with(\.instructionSet, set) { Shortcut.addDownsampled(x, group: group, to: &sum) }
        #expect(relativeError(sum, expected.values.map(Double.init)) < 1e-6)
    }

    @Test(arguments: InstructionSet.supported, [[32, 1], [24, 2], [20, 4], [16, 8], [5, 4], [10, 2]])
    func upAddsTheRepeatedChannels(set: InstructionSet, extents: [Int]) {
        let (c, repeats) = (extents[0], extents[1])
        var values = TestValues(seed: 4)
        let (x, y) = (values.tensor([2, 2, 3, c]), values.tensor([2, 4, 6, c * repeats / 4]))
        var expected = y
        expected.add(PixelShuffle.shuffle(ChannelGroups.repeat(x, count: repeats), factor: 2))
        var sum = y
        ComputeContext.with(\.instructionSet, set) { Shortcut.addUpsampled(x, repeats: repeats, to: &sum) }
        #expect(sum.values == expected.values)
    }
}
