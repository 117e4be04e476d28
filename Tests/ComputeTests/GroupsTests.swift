import TestSupport
import Testing

@testable import Compute

struct GroupsTests {
    /// Rows, groups, size.
    static let sizes = [[28, 3, 32], [9, 2, 40], [4, 1, 300], [1, 1, 1], [15, 4, 8], [33, 2, 24], [3, 5, 16], [7, 3, 5]]

    @Test(arguments: InstructionSet.supported, sizes)
    func agreesWithDoublePrecision(set: InstructionSet, extents: [Int]) {
        var values = TestValues(seed: 17)
        let (rows, groups, size) = (extents[0], extents[1], extents[2])
        let (x, weight) = (values.tensor([rows, groups * size]), values.tensor([groups * size, size, 1, 1]))
        let y = ComputeContext.with(\.instructionSet, set) { project(x, with: PackedGroups(weight)) }
        let (inputs, weights) = (x.values, weight.values)
        let exact = (0..<rows * groups * size).map { i in
            let (row, output) = i.quotientAndRemainder(dividingBy: groups * size)
            let first = row * groups * size + output / size * size
            return (0..<size).reduce(0.0) { $0 + Double(inputs[first + $1]) * Double(weights[output * size + $1]) }
        }
        #expect(relativeError(y, exact) < 1e-6)
    }
}
