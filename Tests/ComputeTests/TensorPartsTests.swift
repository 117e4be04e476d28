import Testing

@testable import Compute

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

    @Test func imagesAreReadInPlaceAndWrittenApart() {
        var whole = batch
        whole.withMutablePointer { $0[29] = 29 }
        let address = whole.withPointer { $0 }
        var part = whole.images(2..<4)
        let inner = part.images(1..<2)
        #expect(part.shape == [2, 2, 3] && part.values == (12..<24).map(Float.init) && inner.values == (18..<24).map(Float.init))
        #expect(part.withPointer { $0 } == address + 12 && inner.withPointer { $0 } == address + 18)
        part.withMutablePointer { $0[0] = -1 }
        #expect(part.values[0] == -1 && whole.values == (0..<30).map(Float.init))
        whole.withMutablePointer { $0[18] = -2 }
        #expect(inner.values == (18..<24).map(Float.init) && whole.values[18] == -2)
    }

    /// Only a file's pages can be read again.
    @Test func aViewKeepsItsNumbers() {
        let whole = Tensor(repeating: 3, shape: [4, 1 << 14])
        let part = whole.images(1..<3)
        part.releasePages()
        #expect(whole.values.allSatisfy { $0 == 3 } && part.values.allSatisfy { $0 == 3 })
    }
}
