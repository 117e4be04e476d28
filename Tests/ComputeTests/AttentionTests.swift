import CKernels
import TestSupport
import Testing

@testable import Compute

struct AttentionTests {
    /// Images, positions, heads, numbers in a query.
    static let sizes = [[1, 1, 1, 8], [2, 16, 3, 8], [1, 37, 2, 32], [1, 300, 1, 16], [1, 5, 2, 3], [1, 9, 1, 40]]

    /// Similarities written out, one multiplication at a time.
    @Test(arguments: InstructionSet.supported, sizes)
    func agreesWithSimilarities(set: InstructionSet, extents: [Int]) {
        let (images, positions, heads, d) = (extents[0], extents[1], extents[2], extents[3])
        var values = TestValues(seed: 11)
        let qkv = values.tensor([images, 1, positions, heads * 3 * d])
        let y = ComputeContext.with(\.instructionSet, set) { ReLUAttention(headDimension: d).forward([qkv]) }
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

    /// Each scale is attended to by itself; its results and its gradient lie where they would if there were no other.
    @Test(arguments: InstructionSet.supported)
    func keepsScalesApart(set: InstructionSet) {
        var values = TestValues(seed: 12)
        let (heads, d, pixels) = (3, 8, 2 * 4 * 5)
        let views = [0, 1].map { _ in values.tensor([2, 4, 5, heads * 3 * d]) }
        let dy = values.tensor([2, 4, 5, 2 * heads * d])
        let attention = ReLUAttention(headDimension: d)
        ComputeContext.with(\.instructionSet, set) {
            let (y, dviews) = (attention.forward(views).values, attention.backward(dy, views))
            for (index, view) in views.enumerated() {
                func half(_ values: [Float]) -> [Float] {
                    let width = heads * d
                    return (0..<pixels).flatMap { pixel -> ArraySlice<Float> in
                        let start = (2 * pixel + index) * width
                        return values[start..<start + width]
                    }
                }
                #expect(half(y) == attention.forward([view]).values)
                let dhalf = Tensor(half(dy.values), shape: [2, 4, 5, heads * d])
                #expect(dviews[index].values == attention.backward(dhalf, [view])[0].values)
            }
        }
    }
}
