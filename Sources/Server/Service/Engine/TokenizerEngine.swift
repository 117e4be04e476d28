import Compute
import Images
import TokenizerCore

/// A checkpoint as an engine.
final class TokenizerEngine: Engine {
    let facts: ModelFacts
    private let tokenizer: VisualTokenizer
    private let context: ComputeContext

    /// Loads and checks a checkpoint. Its golden images have run once afterwards, so the first request is not slower than the next.
    ///
    /// - Parameter threads: how many may compute at the same time, loading included.
    init(loading path: String, precision: Precision = .float32, threads: Int = ComputeContext.current.threads) throws {
        var context = ComputeContext.current
        context.threads = threads
        self.context = context
        tokenizer = try context.run { try VisualTokenizer.load(from: path, precision: precision) }
        let (manifest, latent) = (tokenizer.manifest, tokenizer.manifest.latentShape)
        facts = ModelFacts(
            version: manifest.step, fingerprint: manifest.fingerprint, imageSize: manifest.imageSize,
            latentShape: [latent.channels, latent.height, latent.width], tokensPerImage: manifest.tokensPerImage,
            codebookSize: manifest.codebookSize, precision: precision)
    }

    func encode(_ images: [RGBImage]) -> [[Int32]] {
        let tokens = context.run { tokenizer.encode(PixelBatch(images: images)) }
        return (0..<tokens.count).map { Array(tokens[$0]) }
    }

    func decode(_ tokens: [[Int32]]) -> [RGBImage] {
        context.run { tokenizer.decode(Tokens(tokensPerImage: facts.tokensPerImage, indices: Array(tokens.joined()))).images() }
    }
}
