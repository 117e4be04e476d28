/// The discrete codes of a batch of images.
public struct Tokens: Sendable, Equatable {
    /// Codes per image.
    public let tokensPerImage: Int
    /// `n · tokensPerImage` codes, image after image.
    public let indices: [Int32]

    /// - Precondition: `tokensPerImage` is positive, and `indices` is a whole number of images.
    public init(tokensPerImage: Int, indices: [Int32]) {
        precondition(tokensPerImage > 0 && indices.count % tokensPerImage == 0, "\(indices.count) tokens are not images of \(tokensPerImage)")
        (self.tokensPerImage, self.indices) = (tokensPerImage, indices)
    }

    /// Those of one image.
    /// - Precondition: there is at least one.
    package init(ofOneImage indices: [Int32]) {
        self.init(tokensPerImage: indices.count, indices: indices)
    }

    /// Those of several images of the same tokenizer, in order.
    /// - Precondition: there is at least one, and all have as many tokens.
    package init(joining images: [Tokens]) {
        precondition(images.allSatisfy { $0.tokensPerImage == images[0].tokensPerImage }, "tokens of different tokenizers")
        self.init(tokensPerImage: images[0].tokensPerImage, indices: images.flatMap(\.indices))
    }

    /// Those of several stages: of each image the first stage's, then the next one's.
    /// - Parameter stages: of each the tokens of all images, `perStage` of one.
    init(joiningStages stages: [[Int32]], perStage: Int) {
        let images = 0..<stages[0].count / perStage
        let joined = images.flatMap { image in stages.flatMap { $0[image * perStage..<(image + 1) * perStage] } }
        self.init(tokensPerImage: stages.count * perStage, indices: stages.count == 1 ? stages[0] : joined)
    }

    /// How many images.
    public var count: Int { indices.count / tokensPerImage }

    /// The codes of each image, in order.
    public var images: [ArraySlice<Int32>] { (0..<count).map { self[$0] } }

    /// The codes of one image.
    public subscript(image: Int) -> ArraySlice<Int32> {
        indices[image * tokensPerImage..<(image + 1) * tokensPerImage]
    }
}

/// Tokens that a tokenizer cannot have made, in one line.
public struct TokenError: Error, Equatable, CustomStringConvertible {
    public let description: String
}
