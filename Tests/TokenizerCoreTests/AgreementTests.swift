import TestSupport
import Testing

@testable import Compute
@testable import Images
@testable import TokenizerCore

/// Tokens do not depend on the processor or the algorithm, but for codes that are equally near within rounding.
struct AgreementTests {
    @Test(arguments: InstructionSet.supported, [ConvolutionAlgorithm.direct, .winograd])
    func everyInstructionSetAndAlgorithmGivesTheSameTokens(set: InstructionSet, algorithm: ConvolutionAlgorithm) throws {
        let tokenizer = try TinyCheckpoint(codes: 4096).tokenizer
        let pixels = PixelBatch(images: (0..<4).map { TinyCheckpoint.picture(seed: UInt64(20 + $0)) })
        let (exact, expected) = tokens(tokenizer, pixels, .plain, .direct)
        let (vectors, found) = tokens(tokenizer, pixels, set, algorithm)
        #expect(relativeError(vectors, exact.values.map(Double.init)) < 2e-5)
        var ties = 0
        for (position, (a, b)) in zip(expected.indices, found.indices).enumerated() where a != b {
            ties += 1
            let distances = [a, b].map { tokenizer.distance(exact, position: position, code: $0) }
            #expect(abs(distances[0] - distances[1]) < 1e-3 * distances[0], "token \(position): \(a) and \(b) are no near tie")
        }
        #expect(ties <= expected.indices.count / 50)
    }

    private func tokens(
        _ tokenizer: VisualTokenizer, _ pixels: PixelBatch, _ set: InstructionSet, _ algorithm: ConvolutionAlgorithm
    ) -> (vectors: Tensor, tokens: Tokens) {
        ComputeContext.with(\.instructionSet, set) {
            ComputeContext.with(\.algorithm, algorithm) {
                let vectors = tokenizer.vectors(pixels)
                return (vectors, tokenizer.tokens(ofVectors: vectors))
            }
        }
    }
}

extension VisualTokenizer {
    /// Squared distance between the vector of the token at `position`, counted through the images, and a code.
    fileprivate func distance(_ vectors: Tensor, position: Int, code: Int32) -> Float {
        let (image, token) = position.quotientAndRemainder(dividingBy: specification.tokensPerImage)
        return distance(vectors.images(image..<image + 1), token: token, code: code)
    }
}
