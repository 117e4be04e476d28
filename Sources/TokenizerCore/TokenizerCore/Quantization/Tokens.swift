/// The discrete codes of a batch of images.
public struct Tokens: Sendable, Equatable {
    /// Codes per image.
    public let tokensPerImage: Int
    /// `n · tokensPerImage` codes, image after image.
    public let indices: [Int32]

    /// - Precondition: `indices` is a whole number of images.
    public init(tokensPerImage: Int, indices: [Int32]) {
        precondition(indices.count % tokensPerImage == 0, "\(indices.count) tokens are not images of \(tokensPerImage)")
        (self.tokensPerImage, self.indices) = (tokensPerImage, indices)
    }

    /// How many images.
    public var count: Int { indices.count / tokensPerImage }

    public subscript(image: Int) -> ArraySlice<Int32> {
        indices[image * tokensPerImage..<(image + 1) * tokensPerImage]
    }
}
