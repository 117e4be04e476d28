import CKernels
import Testing

@testable import TokenizerCore

struct AttentionTests {
    /// Images, positions, heads, numbers in a query.
    static let sizes = [[1, 1, 1, 8], [2, 16, 3, 8], [1, 37, 2, 32], [1, 300, 1, 16], [1, 5, 2, 3], [1, 9, 1, 40]]

    /// Similarities written out, one multiplication at a time.
    @Test(arguments: InstructionSet.supported, sizes)
    func agreesWithSimilarities(set: InstructionSet, extents: [Int]) {
        let (images, positions, heads, d) = (extents[0], extents[1], extents[2], extents[3])
        var values = TestValues(seed: 11)
        let qkv = values.tensor([images, 1, positions, heads * 3 * d])
        let y = InstructionSet.$current.withValue(set) { ReLUAttention(headDimension: d).forward(qkv) }
        let input = qkv.values.map(Double.init)
        func part(_ image: Int, _ position: Int, _ head: Int, _ index: Int) -> ArraySlice<Double> {
            let start = ((image * positions + position) * heads + head) * 3 * d + index * d
            return input[start..<start + d]
        }
        var exact: [Double] = []
        for image in 0..<images {
            for position in 0..<positions {
                for head in 0..<heads {
                    let query = part(image, position, head, 0)
                    var (sums, total) = ([Double](repeating: 0, count: d), 1e-15)
                    for other in 0..<positions {
                        let similarity = zip(query, part(image, other, head, 1)).reduce(0) { $0 + max(0, $1.0) * max(0, $1.1) }
                        total += similarity
                        for (j, v) in part(image, other, head, 2).enumerated() { sums[j] += similarity * v }
                    }
                    exact += sums.map { $0 / total }
                }
            }
        }
        #expect(relativeError(y, exact) < 2e-6)
    }
}
