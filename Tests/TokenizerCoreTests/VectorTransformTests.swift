import TestSupport
import Testing

@testable import Compute
@testable import Networks
@testable import TokenizerCore

@Suite struct VectorTransformTests {
    @Test func theSquarestBlockFits() {
        let shape = LatentShape(channels: 4, height: 4, width: 8)
        let blocks = [1, 2, 4, 8, 12, 16, 32, 64].map { Grouping.squarestBlock(of: $0, for: shape)?.name }
        #expect(blocks == ["block-1x1", "block-1x2", "block-2x2", "block-2x4", nil, "block-4x4", "block-4x8", nil])
    }

    private static let shape = LatentShape(channels: 4, height: 4, width: 8)
    static let groupings: [(Grouping, Int)] = [
        (.strip, 4), (.strip, 16), (.strip, 64), (.block(height: 2, width: 2), 4), (.block(height: 4, width: 2), 8), (.spatial, 2),
        (.spatial, 4), (.spatial, 8), (.klt(side: 1), 2), (.klt(side: 2), 4),
    ]

    /// Number i at place i, so that vectors show where their numbers came from.
    private let numbered = Tensor((0..<128).map(Float.init), shape: [1, 128])

    @Test func namesReadBack() {
        for (grouping, _) in Self.groupings { #expect(Grouping(name: grouping.name) == grouping) }
        for name in [
            "", "strips", "block", "block-2", "block-0x2", "block-2x2x2", "klt", "klt--1", "klt-2x2", "spatial-1", "block-99999999999999999999x1",
        ] {
            #expect(Grouping(name: name) == nil, "\(name)")
        }
    }

    @Test func vectorsAreMadeOfTheRightElements() throws {
        func vectors(_ grouping: Grouping, _ d: Int) throws -> [[Float]] {
            let values = try VectorTransform(grouping, shape: Self.shape, dimension: d).vectors(Latents(rows: numbered, shape: Self.shape)).values
            return stride(from: 0, to: 128, by: d).map { Array(values[$0..<$0 + d]) }
        }
        #expect(try vectors(.strip, 4).flatMap { $0 } == numbered.values)
        // Element (c, y, x) has the number 32·c + 8·y + x.
        let blocks = try vectors(.block(height: 2, width: 2), 4)
        #expect(blocks[0] == [0, 1, 8, 9] && blocks[1] == [2, 3, 10, 11] && blocks[4] == [16, 17, 24, 25] && blocks[8] == [32, 33, 40, 41])
        let pairs = try vectors(.spatial, 2)
        #expect(pairs[0] == [0, 32] && pairs[1] == [1, 33] && pairs[8] == [8, 40] && pairs[32] == [64, 96])
        #expect(try vectors(.spatial, 8)[1] == [2, 3, 34, 35, 66, 67, 98, 99])
    }

    @Test(arguments: VectorTransformTests.groupings)
    func latentsComeBack(_ grouping: Grouping, _ d: Int) throws {
        let transform = try VectorTransform.random(grouping, d, Self.shape)
        let latents = Self.latents(images: 3, seed: 4)
        let vectors = transform.vectors(latents)
        #expect(transform.latents(vectors).map.relativeError(to: latents.map) < 1e-5)
        #expect(transform.problem == nil)
        // An image's vectors do not depend on the others.
        #expect(transform.vectors(latents.images(1..<2)).values == vectors.images(1..<2).values)
    }

    /// ⟨latents(r), g⟩ = ⟨r, gradient(g)⟩ for any r and g: the gradient is the transposed map.
    @Test(arguments: VectorTransformTests.groupings)
    func theGradientIsTheTransposedMap(_ grouping: Grouping, _ d: Int) throws {
        let transform = try VectorTransform.random(grouping, d, Self.shape)
        let (vectors, gradient) = (Self.latents(images: 2, seed: 6).rows, Self.latents(images: 2, seed: 7))
        func product(_ a: Tensor, _ b: Tensor) -> Double { zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        let (forward, back) = (transform.latents(vectors), transform.gradient(gradient))
        let scale = (forward.map.sumOfSquares * gradient.map.sumOfSquares).squareRoot()
        #expect(abs(product(forward.map, gradient.map) - product(vectors, back)) < 1e-6 * scale)
    }

    /// The nearest code among scaled vectors is the one of least weighted error among latents.
    @Test(arguments: VectorTransformTests.groupings)
    func nearestCodesHaveTheLeastWeightedError(_ grouping: Grouping, _ d: Int) throws {
        let layout = try GroupQuantizer.Layout(tokens: 128 / d, codes: 9, latents: 128, codebooks: 1, grouping: grouping)
        var codebooks = Tensor(uninitialized: [1, 9, d])
        var random = RandomSource(seed: 5, stream: 0)
        random.fill(normal: &codebooks)
        let latents = Self.latents(images: 1, seed: 8)
        let transform = try VectorTransform.random(grouping, d, Self.shape)
        let quantizer = GroupQuantizer(layout, shape: Self.shape, transform: transform, codebooks: codebooks)
        let best = quantizer.tokens(latents)
        func error(_ tokens: Tokens) -> Double {
            let (codes, vectors, importance) = (quantizer.codes(tokens).values, quantizer.vectors(latents).values, quantizer.importance!)
            let perToken = vectors.count / tokens.indices.count
            let squares = vectors.indices.map { i in
                Double(importance[i / perToken % importance.count]) * Double(codes[i] - vectors[i]) * Double(codes[i] - vectors[i])
            }
            return squares.reduce(0, +) / Double(squares.count)
        }
        let least = error(best)
        for token in 0..<layout.tokens {
            for code in 0..<Int32(9) where code != best.indices[token] {
                var indices = best.indices
                indices[token] = code
                #expect(error(Tokens(tokensPerImage: layout.tokens, indices: indices)) >= least)
            }
        }
        // What it makes small is the weighted error of the latents themselves.
        #expect(abs(error(best) - Self.weightedError(transform, quantizer.latents(best), latents)) < 1e-5 * least)
    }

    /// Mean (analysis · Δ)² of boxes, or (weight · Δ)² of elements, without the scales.
    private static func weightedError(_ transform: VectorTransform, _ q: Latents, _ z: Latents) -> Double {
        var difference = q
        var negative = z.map
        negative.multiply(by: -1)
        difference.map.add(negative)
        let scales = transform.scales.values
        let vectors = transform.vectors(difference).values
        let perPosition = vectors.count / scales.count
        return vectors.indices.reduce(0.0) { $0 + Double(vectors[$1] * scales[$1 / perPosition]) * Double(vectors[$1] * scales[$1 / perPosition]) }
            / Double(vectors.count)
    }

    private static func latents(images: Int, seed: UInt64) -> Latents {
        var map = Tensor(uninitialized: [images] + shape.map)
        var random = RandomSource(seed: seed, stream: 0)
        random.fill(normal: &map)
        return Latents(map)
    }

    @Test func impossibleGroupingsAreRefused() {
        for (grouping, d, reason) in [
            (.block(height: 3, width: 1), 3, "cannot be cut into block-3x1 groups of 3"), (.block(height: 2, width: 2), 8, "groups of 8"),
            (.spatial, 3, "4×4×8 latents cannot be cut into spatial groups of 3"), (.klt(side: 3), 4, "klt-3"), (.klt(side: 1), 3, "groups of 3"),
            (.strip, 3, "strip groups of 3"),
        ] as [(Grouping, Int, String)] {
            #expect(grouping.problem(for: Self.shape, d: d)?.contains(reason) == true, "\(grouping)")
        }
        let wide = LatentShape(channels: 512, height: 2, width: 2)
        #expect(Grouping.klt(side: 2).problem(for: wide, d: 4) == "a klt-2 transform of 512×2×2 latents has 2048 elements, at most 1024 are possible")
    }

    @Test func transformsThatCannotBeReversedAreFound() throws {
        var transform = try VectorTransform.random(.klt(side: 1), 2, Self.shape)
        transform.visit(.root) { path, _, tensor in
            if path.description == "synthesis" { tensor.withMutablePointer { $0[3] += 0.5 } }
        }
        #expect(transform.problem == "its synthesis is not the inverse of its analysis")
        var flat = try VectorTransform.random(.spatial, 2, Self.shape)
        flat.visit(.root) { _, _, tensor in tensor.withMutablePointer { $0[0] = 0 } }
        #expect(flat.problem != nil)
    }
}
