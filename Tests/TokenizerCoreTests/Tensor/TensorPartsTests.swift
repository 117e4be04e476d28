import Testing

@testable import TokenizerCore

@Suite struct TensorPartsTests {
    private let batch = Tensor((0..<30).map(Float.init), shape: [5, 2, 3])

    @Test(arguments: [1, 2, 5, 9])
    func partsAreJoinedInOrder(_ most: Int) {
        var counts: [Int] = []
        let result = batch.inParts(of: most) { part in
            counts.append(part.n)
            return Tensor(part.values.map { 2 * $0 }, shape: [part.n, 6])
        }
        #expect(result.shape == [5, 6])
        #expect(result.values == (0..<30).map { 2 * Float($0) })
        #expect(counts.allSatisfy { $0 <= most } && counts.reduce(0, +) == 5)
    }
}
