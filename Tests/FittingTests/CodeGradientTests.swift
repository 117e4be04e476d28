import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import TokenizerCore

/// Gradients that touch few codes, and the step they make, against the same as whole arrays.
@Suite struct CodeGradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let images, tokens, codes, d, codebooks: Int

        var testDescription: String { "\(images) images, \(tokens) tokens, \(codebooks) × \(codes) codes of \(d)" }
    }

    static let cases = [
        Case(images: 5, tokens: 6, codes: 9, d: 4, codebooks: 6), Case(images: 3, tokens: 8, codes: 3, d: 3, codebooks: 2),
        // More codes than fit into one piece of work.
        Case(images: 40, tokens: 2, codes: 20_000, d: 4, codebooks: 1),
    ]

    @Test(arguments: cases)
    func sumsWhatEachCodeGets(shape: Case) throws {
        let (layout, tokens, dcodes) = try Self.step(shape, seed: 1)
        var expected = [Float](repeating: 0, count: shape.codebooks * shape.codes * shape.d)
        for (position, index) in tokens.indices.enumerated() {
            let codebook = position % shape.tokens / (shape.tokens / shape.codebooks)
            for j in 0..<shape.d { expected[(codebook * shape.codes + Int(index)) * shape.d + j] += dcodes.values[position * shape.d + j] }
        }
        let gradient = CodeGradient(layout, dcodes, at: tokens)
        #expect(gradient.dense.values == expected)
        let norm = expected.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(abs(gradient.norm - norm) < 1e-12 * norm)
    }

    @Test(arguments: cases, InstructionSet.supported)
    func movesAllCodesLikeAStepWithTheWholeGradient(shape: Case, set: InstructionSet) throws {
        var values = TestValues(seed: 3)
        let (layout, _, _) = try Self.step(shape, seed: 1)
        let start = GroupQuantizer(layout, codebooks: values.tensor([shape.codebooks, shape.codes, shape.d]))
        var (sparse, dense) = (start, start)
        var (sparseOptimizer, denseOptimizer) = (AdamW(weightDecay: 0), AdamW(weightDecay: 0))
        ComputeContext.with(\.instructionSet, set) {
            for seed in 1...3 {
                guard let (_, tokens, dcodes) = try? Self.step(shape, seed: UInt64(seed)) else { return }
                let gradient = CodeGradient(layout, dcodes, at: tokens)
                sparseOptimizer.update(&sparse, gradient: gradient, learningRate: 0.01, scale: 0.5)
                let whole = GroupQuantizer(layout, codebooks: gradient.dense)
                denseOptimizer.update(&dense, gradient: whole, learningRate: 0.01, scale: 0.5)
            }
        }
        #expect(sparseOptimizer.step == 3)
        #expect(sparse.codebooks.values == dense.codebooks.values)
        #expect(sparse.codebooks.values != start.codebooks.values)
    }

    private static func step(_ shape: Case, seed: UInt64) throws -> (GroupQuantizer.Layout, Tokens, Tensor) {
        var values = TestValues(seed: seed)
        let layout = try GroupQuantizer.Layout(
            tokens: shape.tokens, codes: shape.codes, latents: shape.tokens * shape.d, codebooks: shape.codebooks)
        let indices = (0..<shape.images * shape.tokens).map { _ in Int32(abs(values.next()) * 1e6) % Int32(shape.codes) }
        return (layout, Tokens(tokensPerImage: shape.tokens, indices: indices), values.tensor([shape.images, shape.tokens * shape.d]))
    }
}

extension CodeGradient {
    /// `[codebooks, N, d]`, zero where no code was touched.
    var dense: Tensor {
        var values = [Float](repeating: 0, count: layout.codebooks * layout.codes * layout.dimension)
        for (codebook, entries) in entries.enumerated() {
            for (place, code) in entries.codes.enumerated() {
                for j in 0..<layout.dimension {
                    values[(codebook * layout.codes + code) * layout.dimension + j] = entries.sums[place * layout.dimension + j]
                }
            }
        }
        return Tensor(values, shape: [layout.codebooks, layout.codes, layout.dimension])
    }
}
