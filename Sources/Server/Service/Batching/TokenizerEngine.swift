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
    /// - Parameters:
    ///   - threads: how many may compute at the same time, loading included.
    ///   - goesOn: asked again and again; once it says no, loading ends with an error.
    init(
        loading path: String, precision: Precision = .float32, threads: Int = ComputeContext.current.threads,
        while goesOn: @escaping () -> Bool = { true }
    ) throws {
        var context = ComputeContext.current
        context.threads = threads
        self.context = context
        let (checkpoint, tokenizer) = try context.run {
            let checkpoint = try Checkpoint(path, precision: precision, while: goesOn)
            return (checkpoint, try VisualTokenizer(checkpoint, while: goesOn))
        }
        self.tokenizer = tokenizer
        let (manifest, specification) = (checkpoint.manifest, checkpoint.manifest.specification)
        let latent = specification.latentShape
        facts = ModelFacts(
            version: manifest.version, fingerprint: manifest.fingerprint, imageSize: specification.imageSize,
            latentShape: [latent.channels, latent.height, latent.width], tokensPerImage: specification.tokensPerImage,
            codebookSize: specification.codebookSize, precision: precision,
            reference: TokenHealth.Reference(
                layout: specification.quantizer, images: max(1, manifest.metrics.images),
                figures: .init(use: manifest.metrics.codebookUse, perplexity: manifest.metrics.perplexity)))
    }

    func encode(_ images: [RGBImage]) -> Tokens {
        interruptibly { tokenizer.encode(images) }
    }

    func decode(_ tokens: Tokens) throws -> [RGBImage] {
        try interruptibly { try tokenizer.decode(tokens) }
    }

    /// Computes as this engine was loaded to, until its caller does not want the result any more.
    private func interruptibly<Result>(_ body: () throws -> Result) rethrows -> Result {
        var context = context
        context.interruption = ComputeContext.current.interruption
        return try context.run(body)
    }
}
