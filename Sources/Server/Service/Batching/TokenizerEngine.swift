import Compute
import Images
import Locks
import TokenizerCore

/// A checkpoint as an engine.
final class TokenizerEngine: Engine {
    let facts: ModelFacts
    private let tokenizer: VisualTokenizer
    private let context: ComputeContext
    /// Of the frozen encoder; nil before it was asked for.
    private let encoderDigest = Lock<String?>(nil)
    /// Those of other sizes that were asked for last, the newest last.
    private let others = Lock<[TokenizerEngine]>([])
    /// They share the weights; each has statistics for every latent of its pictures.
    private static let mostSizes = 8

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
            version: manifest.version, fingerprint: manifest.fingerprint,
            size: PictureSize(height: specification.imageSize, width: specification.imageSize)!,
            autoencoder: tokenizer.autoencoderFamily, latentShape: [latent.channels, latent.height, latent.width],
            tokensPerImage: specification.tokensPerImage,
            codebookSize: specification.codebookSize, stages: specification.quantizer.stages, precision: precision,
            sizeStep: try? tokenizer.sizeStep,
            reference: TokenHealth.Reference(
                layout: specification.quantizer, images: max(1, manifest.metrics.images),
                figures: .init(use: manifest.metrics.codebookUse, perplexity: manifest.metrics.perplexity)))
    }

    /// - Parameter other: its tokenizer for pictures of `size`.
    private init(_ engine: TokenizerEngine, _ other: VisualTokenizer, of size: PictureSize) {
        (tokenizer, context) = (other, engine.context)
        let (own, latent) = (engine.facts, other.specification.latentShape)
        facts = ModelFacts(
            version: own.version, fingerprint: own.fingerprint, size: size, autoencoder: own.autoencoder,
            latentShape: [latent.channels, latent.height, latent.width], tokensPerImage: other.tokensPerImage, codebookSize: own.codebookSize,
            stages: own.stages, precision: own.precision, sizeStep: own.sizeStep)
    }

    func resized(to size: PictureSize) throws(VisualTokenizer.SizeError) -> any Engine {
        try others.withLock { others throws(VisualTokenizer.SizeError) -> any Engine in
            let known = others.firstIndex { $0.facts.size == size }.map { others.remove(at: $0) }
            let engine = if let known { known } else { try other(of: size) }
            others = Array(others.suffix(Self.mostSizes - 1)) + [engine]
            return engine
        }
    }

    private func other(of size: PictureSize) throws(VisualTokenizer.SizeError) -> TokenizerEngine {
        TokenizerEngine(self, try tokenizer.resized(width: size.width, height: size.height), of: size)
    }

    func encode(_ images: [RGBImage]) -> Tokens {
        computing { tokenizer.encode(PixelBatch(images: images)) }
    }

    func decode(_ tokens: Tokens) throws -> [RGBImage] {
        try computing { try tokenizer.decode(tokens) }
    }

    /// On the same latents where both versions have one frozen encoder, which then runs once; with no more threads than the caller wants.
    func compare(_ picture: RGBImage, with canary: any Engine) throws -> VersionComparison {
        guard let canary = canary as? TokenizerEngine else { return try VersionComparison(picture, by: self, and: canary) }
        let (threads, pixels) = (ComputeContext.current.threads, PixelBatch(images: [picture]))
        let latents = computing(with: threads) { tokenizer.latents(pixels) }
        let others = canary.encoder == encoder ? latents : canary.computing(with: threads) { canary.tokenizer.latents(pixels) }
        func drawn(by engine: TokenizerEngine, _ tokens: (VisualTokenizer) -> Tokens) throws -> VersionComparison.Drawn {
            try engine.computing(with: threads) {
                let tokens = tokens(engine.tokenizer)
                return (tokens, try engine.tokenizer.decode(tokens)[0])
            }
        }
        return VersionComparison(
            picture, stable: try drawn(by: self) { $0.tokens(of: latents) }, canary: try drawn(by: canary) { $0.tokens(of: others) })
    }

    private var encoder: String {
        if let known = encoderDigest.withLock({ $0 }) { return known }
        let digest = tokenizer.encoderDigest()
        encoderDigest.withLock { $0 = digest }
        return digest
    }

    /// Computes as this engine was loaded to, until its caller does not want the result any more.
    /// - Parameter threads: nil for its own number.
    private func computing<Result>(with threads: Int? = nil, _ body: () throws -> Result) rethrows -> Result {
        var context = context
        context.interruption = ComputeContext.current.interruption
        if let threads { context.threads = min(context.threads, threads) }
        return try context.run(body)
    }
}
