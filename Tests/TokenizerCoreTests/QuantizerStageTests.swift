import FoundationEssentials
import TestSupport
import Testing

@testable import Compute
@testable import Networks
@testable import TokenizerCore

/// Quantisers of several stages, each of which codes what the ones before left.
@Suite struct QuantizerStageTests {
    /// Stage after stage in double precision; of each image the tokens of the first stage, then those of the next, and what they add up to.
    private func reference(_ quantizer: GroupQuantizer, _ vectors: Tensor) -> (tokens: [Int32], sums: [Double]) {
        let (layout, codes) = (quantizer.layout, quantizer.codebooks.values.map(Double.init))
        let (d, groups, values) = (layout.dimension, layout.groups, vectors.values)
        var (tokens, sums): ([Int32], [Double]) = ([], [])
        for image in 0..<vectors.n {
            var found = [[Int32]](repeating: [], count: layout.stages)
            for group in 0..<groups {
                let start = (image * groups + group) * d
                var left = values[start..<start + d].map(Double.init)
                for stage in 0..<layout.stages {
                    let perStage = layout.codebooks / layout.stages
                    let book = stage * perStage + group * perStage / groups
                    func code(_ index: Int) -> ArraySlice<Double> { codes[(book * layout.codes + index) * d..<(book * layout.codes + index + 1) * d] }
                    let distances = (0..<layout.codes).map { zip(left, code($0)).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
                    let nearest = distances.indices.min { (distances[$0], $0) < (distances[$1], $1) }!
                    found[stage].append(Int32(nearest))
                    left = zip(left, code(nearest)).map { $0 - $1 }
                }
                sums += zip(values[start..<start + d], left).map { Double($0) - $1 }
            }
            tokens += found.flatMap { $0 }
        }
        return (tokens, sums)
    }

    private static let images = 5
    private static func vectors(_ quantizer: GroupQuantizer) -> Tensor {
        var vectors = Tensor(uninitialized: [images, quantizer.shape.count])
        var random = RandomSource(seed: 9, stream: 1)
        random.fill(normal: &vectors)
        return vectors
    }

    /// Codebooks of each position, of some and of all, scanned and searched in cells, with 2 and 3 stages.
    @Test(arguments: [(12, 2), (4, 2), (2, 2), (12, 3), (3, 3)], InstructionSet.supported)
    func eachStageCodesWhatTheOnesBeforeLeft(_ extents: (codebooks: Int, stages: Int), _ set: InstructionSet) throws {
        let quantizer = try GroupQuantizer.random(tokens: 12, codes: 70, dimension: 6, codebooks: extents.codebooks, stages: extents.stages)
        let vectors = Self.vectors(quantizer)
        let expected = reference(quantizer, vectors)
        for isPrepared in [false, true] {
            for threads in [1, 3] {
                ComputeContext.with(\.instructionSet, set) {
                    ComputeContext.with(\.threads, threads) {
                        if isPrepared { quantizer.prepareSearch() }
                        let tokens = quantizer.tokens(ofVectors: vectors)
                        #expect(tokens.indices == expected.tokens && tokens.tokensPerImage == 12)
                        let sums = quantizer.codes(tokens).values
                        #expect(zip(sums, expected.sums).allSatisfy { abs(Double($0) - $1) < 1e-6 }, "the codes of all stages are added up")
                        #expect(sums.count == expected.sums.count)
                    }
                }
            }
        }
    }

    @Test func anImageAloneHasTheTokensThatItHasAmongOthers() throws {
        let quantizer = try GroupQuantizer.random(tokens: 12, codes: 70, dimension: 6, codebooks: 2, stages: 2)
        let (vectors, together) = (Self.vectors(quantizer), quantizer.tokens(ofVectors: Self.vectors(quantizer)))
        for image in 0..<Self.images {
            let alone = quantizer.tokens(ofVectors: vectors.images(image..<image + 1))
            #expect(alone.indices == Array(together[image]))
            #expect(quantizer.codes(alone).values == quantizer.codes(together).images(image..<image + 1).values)
        }
    }

    /// The first tokens of an image are what its codes make of it in fewer stages.
    @Test func theFirstTokensAreACoarserReading() throws {
        let whole = try GroupQuantizer.random(tokens: 12, codes: 40, dimension: 6, codebooks: 6, stages: 3)
        for stages in 1...2 {
            let layout = try GroupQuantizer.Layout(
                tokens: 4 * stages, codes: 40, latents: whole.shape.count, codebooks: 2 * stages, stages: stages)
            let coarse = GroupQuantizer(layout, codebooks: whole.codebooks.images(0..<2 * stages))
            let (all, some) = (whole.tokens(ofVectors: Self.vectors(whole)), coarse.tokens(ofVectors: Self.vectors(whole)))
            for image in 0..<Self.images { #expect(all[image].prefix(4 * stages) == some[image]) }
        }
    }

    @Test func remaindersAreWhatEachStageHadToCode() throws {
        let quantizer = try GroupQuantizer.random(tokens: 6, codes: 9, dimension: 2, codebooks: 3, stages: 3)
        let vectors = Self.vectors(quantizer)
        let tokens = quantizer.tokens(ofVectors: vectors)
        let left = quantizer.remainders(of: vectors, along: tokens)
        #expect(left.shape == [Self.images, 12])
        let (x, each, found) = (vectors.values, quantizer.codesOfEach(tokens).values, left.values)
        for image in 0..<Self.images {
            for j in 0..<4 {
                #expect(found[image * 12 + j] == x[image * 4 + j])
                for stage in 1..<3 {
                    let before = image * 12 + (stage - 1) * 4 + j
                    #expect(found[before + 4] == found[before] - each[before])
                }
            }
        }
        #expect(quantizer.tokens(ofRemainders: left) == tokens)
        let single = try GroupQuantizer.random(tokens: 2, codes: 9, dimension: 2, codebooks: 1)
        #expect(single.remainders(of: vectors, along: { () -> Tokens in fatalError("one stage has the vectors themselves") }()).values == x)
    }

    /// Every stage is weighted by the scales of its vectors, and moved by the gradient for their sum.
    @Test func weightsAndGradientsAreRepeatedForEachStage() throws {
        let shape = LatentShape(channels: 2, height: 2, width: 2)
        var transform = try VectorTransform(.spatial, shape: shape, dimension: 2)
        transform.scale(by: Tensor([3], shape: [1]))
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 3, latents: 8, codebooks: 2, grouping: .spatial, stages: 2)
        let quantizer = GroupQuantizer(layout, shape: shape, transform: transform, codebooks: Tensor(zeros: [2, 3, 2]))
        #expect(quantizer.importance == Array(repeating: 9, count: 8))
        let latents = Latents(rows: Self.vectors(quantizer), shape: shape)
        let (gradient, once) = (quantizer.codeGradient(latents), transform.gradient(latents))
        for image in 0..<Self.images {
            let own = Array(once.values[image * 8..<image * 8 + 8])
            #expect(Array(gradient.values[image * 16..<image * 16 + 16]) == own + own)
        }
    }

    @Test func codesOfSharedPlacesServeOtherSizes() throws {
        let (shape, other) = (LatentShape(channels: 2, height: 2, width: 4), LatentShape(channels: 2, height: 4, width: 4))
        let layout = try GroupQuantizer.Layout(tokens: 8, codes: 5, latents: shape.count, codebooks: 4, stages: 2)
        var codebooks = Tensor(uninitialized: [4, 5, 4])
        var random = RandomSource(seed: 2, stream: 1)
        random.fill(normal: &codebooks)
        let resized = try GroupQuantizer(layout, shape: shape, codebooks: codebooks).resized(to: other)
        #expect(resized.layout.tokens == 16 && resized.layout.stages == 2 && resized.layout.codebooks == 4)
        let untied = try GroupQuantizer.Layout(tokens: 8, codes: 5, latents: shape.count, codebooks: 8, stages: 2)
        let fixed = GroupQuantizer(untied, shape: shape, codebooks: Tensor(zeros: [8, 5, 4]))
        #expect(throws: GroupQuantizer.LayoutError.self) { try fixed.resized(to: other) }
    }

    /// Files from before there were stages read as one, and those of one say none.
    @Test func oneStageIsWrittenAsBefore() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for (stages, text) in [
            (1, #"{"codebooks":2,"codes":5,"dimension":4,"tokens":8}"#), (2, #"{"codebooks":2,"codes":5,"dimension":8,"stages":2,"tokens":8}"#),
        ] {
            let layout = try GroupQuantizer.Layout(tokens: 8, codes: 5, latents: 32, codebooks: 2, stages: stages)
            #expect(String(decoding: try encoder.encode(layout), as: UTF8.self) == text)
            #expect(try JSONDecoder().decode(GroupQuantizer.Layout.self, from: Data(text.utf8)) == layout)
            #expect(layout.canonicalName == (stages == 1 ? "8×5×4/2" : "8×5×8/2 in 2 stages"))
        }
    }
}
