import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import TokenizerCore

/// What Lloyd's algorithm moves codes by.
@Suite struct CodeTotalsTests {
    /// Of codes with more numbers than go together, and of fewer.
    @Test(arguments: InstructionSet.supported, [3, 10])
    func addsRunsToTheRecordsOfTheirCodes(set: InstructionSet, d: Int) throws {
        let quantizer = try GroupQuantizer.random(tokens: 6, codes: 5, dimension: d, codebooks: 2)
        var vectors = Tensor(uninitialized: [7, 6 * d])
        var random = RandomSource(seed: 3, stream: 1)
        random.fill(normal: &vectors)
        let (tokens, importance) = (quantizer.tokens(ofVectors: vectors), [1, 2, 3, 4, 5, 6] as [Float])
        var totals = [Double](repeating: 0, count: 10 * (d + 3))
        totals.withUnsafeMutableBufferPointer { totals in
            ComputeContext.with(\.instructionSet, set) {
                quantizer.add(vectors, tokens, images: 2..<7, ofCodebook: 1, importance: importance, to: totals.baseAddress!)
            }
        }
        var expected = [Double](repeating: 0, count: totals.count)
        let (x, codes) = (vectors.values, quantizer.codebooks.values)
        for image in 2..<7 {
            for token in 3..<6 {
                let (cell, weight) = (5 + Int(tokens.indices[image * 6 + token]), Double(importance[token]))
                let record = cell * (d + 3)
                expected[record] += 1
                expected[record + 1] += weight
                for j in 0..<d {
                    let value = Double(x[(image * 6 + token) * d + j])
                    let difference = value - Double(codes[cell * d + j])
                    expected[record + 2] += weight * difference * difference
                    expected[record + 3 + j] += weight * value
                }
            }
        }
        #expect(zip(totals, expected).allSatisfy { abs($0 - $1) <= 1e-13 * (1 + abs($1)) })
    }
}
