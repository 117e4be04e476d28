import Compute
import Images

/// One version of one model, ready to run: the only swap point between the service and the computation behind it.
///
/// Called from one thread at a time with at least one item. Everything outside input could get wrong has been checked: images are
/// `facts.imageSize` square, token rows have `facts.tokensPerImage` values in `0 ..< facts.codebookSize`.
protocol Engine: AnyObject, Sendable {
    var facts: ModelFacts { get }

    /// - Returns: one row of tokens per image, in order. A row never depends on the other images.
    func encode(_ images: [RGBImage]) throws -> [[Int32]]

    /// - Returns: one image of `facts.imageSize` square per row, in order.
    func decode(_ tokens: [[Int32]]) throws -> [RGBImage]
}

/// What a client may know about a model version, and the service needs to check its requests.
struct ModelFacts: Sendable, Equatable {
    /// The training step it was published at.
    let version: Int
    /// Hash of everything that decides what a token means.
    let fingerprint: String
    /// Width and height of its images, in pixels.
    let imageSize: Int
    /// `[C, H, W]`.
    let latentShape: [Int]
    let tokensPerImage: Int
    /// Tokens are in `0 ..< codebookSize`.
    let codebookSize: Int
    /// Of the products that its tokens and images are computed with.
    let precision: Precision
}
