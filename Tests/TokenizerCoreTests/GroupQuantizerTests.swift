import TestSupport
import Testing

@testable import Compute
@testable import Networks
@testable import TokenizerCore

@Suite struct GroupQuantizerTests {
    /// Nearest in double precision, lowest index first.
    private func reference(_ quantizer: GroupQuantizer, _ latents: Tensor) -> [Int32] {
        let (layout, codes, values) = (quantizer.layout, quantizer.codebooks.values, latents.values)
        let d = layout.dimension
        return (0..<values.count / d).map { position in
            let book = position % layout.tokens * layout.codebooks / layout.tokens
            let distances = (0..<layout.codes).map { code in
                (0..<d).reduce(0.0) { sum, j in
                    let difference = Double(values[position * d + j]) - Double(codes[(book * layout.codes + code) * d + j])
                    return sum + difference * difference
                }
            }
            return Int32(distances.indices.min { (distances[$0], $0) < (distances[$1], $1) }!)
        }
    }

    /// More elements than one piece of the work has.
    @Test func aNormalizerMeasuresEveryElement() {
        var latents = Tensor(uninitialized: [9, 600])
        var random = RandomSource(seed: 4, stream: 1)
        random.fill(normal: &latents, mean: 3, deviation: 2)
        let normalizer = LatentNormalizer(fitting: Latents(flat: latents))
        for element in 0..<600 {
            let own = (0..<9).map { Double(latents.values[$0 * 600 + element]) }
            let mean = own.reduce(0, +) / 9
            let deviation = (own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 9).squareRoot()
            #expect(
                abs(Double(normalizer.mean.values[element]) - mean) < 1e-6 && abs(Double(normalizer.deviation.values[element]) - deviation) < 1e-6)
        }
    }

    @Test(arguments: [12, 4, 1])
    func findsTheNearestCodeOfTheRightCodebook(_ codebooks: Int) throws {
        let quantizer = try GroupQuantizer.random(tokens: 12, codes: 70, dimension: 3, codebooks: codebooks)
        var latents = Tensor(uninitialized: [5, 36])
        var random = RandomSource(seed: 9, stream: 1)
        random.fill(normal: &latents)
        let tokens = quantizer.tokens(Latents(flat: latents))
        #expect(tokens.indices == reference(quantizer, latents))
        #expect(quantizer.tokens(quantizer.latents(tokens)).indices == tokens.indices, "a code is its own nearest code")
    }

    @Test func equallyNearCodesGoToTheLowestIndex() throws {
        var quantizer = try GroupQuantizer.random(tokens: 2, codes: 5, dimension: 2, codebooks: 1)
        quantizer.codebooks = Tensor([9, 9, 1, 0, -1, 0, 1, 0, 0, 1], shape: [1, 5, 2])
        #expect(quantizer.tokens(ofVectors: Tensor([0, 0, 1, 0], shape: [1, 4])).indices == [1, 1])
    }

    @Test func changedCodebooksAreSearchedAnew() throws {
        var quantizer = try GroupQuantizer.random(tokens: 1, codes: 2, dimension: 1, codebooks: 1)
        quantizer.codebooks = Tensor([0, 1], shape: [1, 2, 1])
        #expect(quantizer.tokens(ofVectors: Tensor([0.9], shape: [1, 1])).indices == [1])
        quantizer.codebooks.withMutablePointer { $0[0] = 0.9 }
        #expect(quantizer.tokens(ofVectors: Tensor([0.9], shape: [1, 1])).indices == [0])
    }

    @Test(arguments: [
        (7, 4, 64, 1, "7 tokens do not divide 64 latent values"), (16, 0, 64, 1, "not 0"), (16, 4, 64, 3, "3 codebooks do not divide 16 tokens"),
        (16, 4, 64, 0, "0 codebooks"), (0, 4, 64, 1, "0 tokens"), (16, 1 << 21, 64, 1, "1,048,576"),
        (1 << 14, 1 << 20, 1 << 14, 1 << 14, "are more than 1073741824"),
    ])
    func refusesImpossibleLayouts(_ tokens: Int, _ codes: Int, _ latents: Int, _ codebooks: Int, _ reason: String) {
        do throws(GroupQuantizer.LayoutError) {
            _ = try GroupQuantizer.Layout(tokens: tokens, codes: codes, latents: latents, codebooks: codebooks)
            Issue.record("accepted \(tokens), \(codes), \(latents), \(codebooks)")
        } catch {
            #expect(error.description.contains(reason), "\(error)")
        }
    }

    @Test(arguments: [
        (12, 6, 0, "1 to 64 stages, not 0"), (12, 6, 65, "1 to 64 stages, not 65"), (12, 12, 5, "5 stages do not divide 12 tokens"),
        (12, 4, 3, "3 stages do not divide 4 codebooks"), (12, 6, 2, "6 tokens of a stage do not divide 64 latent values"),
        (-4, 2, 2, "-2 tokens of a stage"),
    ])
    func refusesImpossibleStages(_ tokens: Int, _ codebooks: Int, _ stages: Int, _ reason: String) {
        let error = #expect(throws: GroupQuantizer.LayoutError.self) {
            try GroupQuantizer.Layout(tokens: tokens, codes: 4, latents: 64, codebooks: codebooks, stages: stages)
        }
        #expect(error?.description.contains(reason) == true, "\(error.map { "\($0)" } ?? "none")")
    }
}
