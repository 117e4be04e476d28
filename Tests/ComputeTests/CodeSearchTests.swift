import TestSupport
import Testing

@testable import Compute

struct CodeSearchTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let images, tokens, groups, codes, d: Int

        var testDescription: String { "\(images) images, \(tokens) tokens, \(groups) × \(codes) codes of \(d)" }
    }

    static let cases = [
        Case(images: 2, tokens: 6, groups: 6, codes: 1500, d: 4),
        Case(images: 1, tokens: 4, groups: 4, codes: 64, d: 8),
        Case(images: 3, tokens: 300, groups: 1, codes: 1025, d: 3),
        Case(images: 2, tokens: 8, groups: 2, codes: 65, d: 32),
        // More regions of cells than are looked at together, the last ones not full.
        Case(images: 9, tokens: 1, groups: 1, codes: 16_500, d: 2),
        Case(images: 150, tokens: 2, groups: 2, codes: 1, d: 1),
        Case(images: 1, tokens: 3, groups: 3, codes: 5, d: 7),
        // Blocks of vectors that are full, partly filled, and nearly empty.
        Case(images: 70, tokens: 3, groups: 3, codes: 530, d: 4),
        Case(images: 44, tokens: 2, groups: 2, codes: 67, d: 8),
        Case(images: 130, tokens: 1, groups: 1, codes: 259, d: 11),
    ]

    @Test(arguments: InstructionSet.supported, cases)
    func agreesWithAFullSearchInDoublePrecision(set: InstructionSet, shape: Case) {
        var values = TestValues(seed: 8)
        let codebooks = values.tensor([shape.groups, shape.codes, shape.d])
        let vectors = values.tensor([shape.images, shape.tokens, shape.d])
        let found = ComputeContext.with(\.instructionSet, set) {
            Self.bothAnswers(vectors, codebooks, tokensPerImage: shape.tokens)
        }
        let expected = fullSearch(vectors, codebooks, tokens: shape.tokens)
        #expect(found.searching == expected)
        #expect(found.scanning == expected)
    }

    /// Many codes at equal and nearly equal distances: a coarse lattice, every code twice, queries half-way between.
    @Test(arguments: InstructionSet.supported)
    func ofEquallyNearCodesTheLowestIndexWins(set: InstructionSet) {
        var values = TestValues(seed: 9)
        let lattice = (0..<1200).map { _ in (values.next() * 3).rounded() }
        let codebooks = Tensor(lattice + lattice, shape: [1, 800, 3])
        let vectors = Tensor((0..<900).map { _ in (values.next() * 6).rounded() / 2 }, shape: [1, 300, 3])
        let found = ComputeContext.with(\.instructionSet, set) { Self.bothAnswers(vectors, codebooks, tokensPerImage: 300) }
        #expect(found.searching == fullSearch(vectors, codebooks, tokens: 300))
        #expect(found.scanning == found.searching)
        #expect(found.searching.allSatisfy { $0 < 400 })
    }

    /// Distances that differ by less than fp32 resolves, far from the origin, and ones that underflow.
    @Test(arguments: InstructionSet.supported, [(1000, 1e-4), (0, 1e-23), (0, 1.8e19), (0, 3e19), (0, 1e30)] as [(Float, Float)])
    func decidesWhatSinglePrecisionCannot(set: InstructionSet, place: (centre: Float, spread: Float)) {
        var values = TestValues(seed: 10)
        let codebooks = Tensor((0..<1200).map { _ in place.centre + values.next() * place.spread }, shape: [2, 200, 3])
        let vectors = Tensor((0..<600).map { _ in place.centre + values.next() * place.spread }, shape: [10, 20, 3])
        let found = ComputeContext.with(\.instructionSet, set) { Self.bothAnswers(vectors, codebooks, tokensPerImage: 20) }
        #expect(found.searching == fullSearch(vectors, codebooks, tokens: 20))
        #expect(found.scanning == found.searching)
    }

    @Test func notANumberFindsAValidCode() {
        let codebooks = Tensor([0, 1, .nan, 3], shape: [1, 4, 1])
        let vectors = (0..<20).flatMap { _ in [.nan, 0.9, .infinity] as [Float] }
        let found = Self.bothAnswers(Tensor(vectors, shape: [1, 60, 1]), codebooks, tokensPerImage: 60)
        for found in [found.searching, found.scanning] {
            #expect(found.indices.allSatisfy { $0 % 3 != 1 || found[$0] == 1 })
            #expect(found.allSatisfy { 0..<4 ~= $0 })
        }
    }

    private static func bothAnswers(_ vectors: Tensor, _ codebooks: Tensor, tokensPerImage: Int) -> (searching: [Int32], scanning: [Int32]) {
        (
            CodeSearch(codebooks).nearest(vectors, tokensPerImage: tokensPerImage),
            CodeScan(codebooks).nearest(vectors, tokensPerImage: tokensPerImage)
        )
    }

    private func fullSearch(_ vectors: Tensor, _ codebooks: Tensor, tokens: Int) -> [Int32] {
        let (groups, codes, d) = (codebooks.shape[0], codebooks.shape[1], codebooks.shape[2])
        let (z, c) = (vectors.values, codebooks.values)
        return (0..<z.count / d).map { token in
            let group = token % tokens / (tokens / groups)
            let distances = (0..<codes).map { code in
                (0..<d).reduce(0.0) { sum, axis in
                    let difference = Double(z[token * d + axis]) - Double(c[(group * codes + code) * d + axis])
                    return sum + difference * difference
                }
            }
            return Int32(distances.indices.min { (distances[$0], $0) < (distances[$1], $1) }!)
        }
    }
}
