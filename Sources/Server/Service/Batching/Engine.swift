import Compute
import Images
import TokenizerCore

/// One version of one model, ready to run: the only swap point between the service and the computation behind it.
///
/// Called with at least one item, from the thread that runs batches and, for comparisons, from another one. Everything outside input could get wrong has been checked: images are
/// of `facts.size`, every image has `facts.tokensPerImage` tokens in `0 ..< facts.codebookSize`.
protocol Engine: AnyObject, Sendable {
    var facts: ModelFacts { get }

    /// - Returns: the tokens of the images, in order. Those of one never depend on the others.
    func encode(_ images: [RGBImage]) throws -> Tokens

    /// - Returns: one image of `facts.size` for the tokens of each, in order.
    func decode(_ tokens: Tokens) throws -> [RGBImage]

    /// How another version does on a picture of the size of both, beside this one.
    func compare(_ picture: RGBImage, with canary: any Engine) throws -> VersionComparison

    /// The same codes for pictures of another size. Those of one size get one engine, so that they share batches.
    func resized(to size: PictureSize) throws(VisualTokenizer.SizeError) -> any Engine
}

/// What a client may know about a model version, and the service needs to check its requests.
struct ModelFacts: Sendable, Equatable {
    /// Grows with every publication of the same model.
    let version: Int
    /// Hash of everything that decides what a token means.
    let fingerprint: String
    /// Of its images.
    let size: PictureSize
    /// The family that its autoencoder belongs to.
    let autoencoder: String
    /// `[C, H, W]`.
    let latentShape: [Int]
    let tokensPerImage: Int
    /// Tokens are in `0 ..< codebookSize`.
    let codebookSize: Int
    /// How many codes are added up for each vector: the first `tokensPerImage / stages` tokens are the first stage's.
    var stages = 1
    /// Of the products that its tokens and images are computed with.
    let precision: Precision
    /// What the sides of pictures of another size are multiples of; nil where it has none.
    var sizeStep: Int?
    /// What the checkpoint says of the use of its codes; nil where it says nothing.
    var reference: TokenHealth.Reference?

    var identity: ModelIdentity { ModelIdentity(version: version, fingerprint: fingerprint) }
}

/// What tells two versions of a model apart.
struct ModelIdentity: Sendable, Equatable {
    /// Grows with every publication.
    let version: Int
    /// Hash of everything that decides what a token means.
    let fingerprint: String
}

/// What a request asks of the engine.
package enum Operation: String, Hashable, Sendable, CaseIterable {
    /// Image → tokens.
    case encode
    /// Tokens → image.
    case decode
    /// Image → tokens → image.
    case reconstruct
}
