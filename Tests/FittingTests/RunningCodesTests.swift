import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import Ranks
@testable import TokenizerCore

@Suite struct RunningCodesTests {
    /// Two codes of one number, of which each has met its even share: with nothing remembered but that, two vectors.
    @Test func codesMoveToTheMeanOfWhatTheyMet() throws {
        let quantizer = try Self.quantizer([-1, 1], tokens: 4)
        var codes = RunningCodes(averaging: 0.5, seed: 1)
        let found = codes.follow(Tensor([-2, -1.5, 1.5, 3], shape: [1, 4]), of: quantizer, step: 1, ranks: .alone)
        // Four vectors a step, for each code two, and as many before them: those count for 4 · 0.5 = 2.
        let means: [Float] = [-5.5 / 4, 6.5 / 4]
        #expect(found.codebooks.values == means && found.resets == 0)
        #expect(codes.totals?.values == [4, 4, -5.5, 4, 4, 6.5])
    }

    /// What nothing was near to for long is put where a vector is; before that it stays where it was.
    @Test func deadCodesArePutWhereVectorsAre() throws {
        var quantizer = try Self.quantizer([1, 100], tokens: 4)
        var codes = RunningCodes(averaging: 0.5, seed: 1)
        let vectors = Tensor([0.5, 1, 1.5, 2], shape: [1, 4])
        for step in 1...6 {
            let found = codes.follow(vectors, of: quantizer, step: step, ranks: .alone)
            #expect(found.resets == 0 && found.codebooks.values[1] == 100)
            quantizer.codebooks = found.codebooks
        }
        let found = codes.follow(vectors, of: quantizer, step: 7, ranks: .alone)
        #expect(found.resets == 1 && vectors.values.contains(found.codebooks.values[1]), "2⁻⁷ of an even share is less than a hundredth")
    }

    @Test(arguments: [1, 3])
    func theSumsAreThoseOfOneThread(threads: Int) throws {
        var (vectors, random) = (Tensor(uninitialized: [300, 8]), RandomSource(seed: 3, stream: 1))
        random.fill(normal: &vectors)
        let quantizer = try Self.quantizer((0..<16).map { Float($0) / 4 - 2 }, tokens: 8)
        func follow() -> [Float] {
            var codes = RunningCodes(averaging: 0.9, seed: 1)
            return codes.follow(vectors, of: quantizer, step: 1, ranks: .alone).codebooks.values + codes.totals!.values
        }
        let alone = ComputeContext.with(\.threads, 1) { follow() }
        #expect(ComputeContext.with(\.threads, threads) { follow() } == alone)
    }

    private static func quantizer(_ codes: [Float], tokens: Int) throws -> GroupQuantizer {
        let layout = try GroupQuantizer.Layout(tokens: tokens, codes: codes.count, latents: tokens, codebooks: 1)
        return GroupQuantizer(
            layout, shape: LatentShape(channels: tokens, height: 1, width: 1), codebooks: Tensor(codes, shape: [1, codes.count, 1]))
    }
}
