/// The discrete codes of a batch of images.
package struct Tokens: Sendable, Equatable {
    /// Codes per image.
    package let tokensPerImage: Int
    /// `n · tokensPerImage` codes, image after image.
    package let indices: [Int32]

    /// - Precondition: `indices` is a whole number of images.
    package init(tokensPerImage: Int, indices: [Int32]) {
        precondition(indices.count % tokensPerImage == 0, "\(indices.count) tokens are not images of \(tokensPerImage)")
        (self.tokensPerImage, self.indices) = (tokensPerImage, indices)
    }

    /// How many images.
    package var count: Int { indices.count / tokensPerImage }

    package subscript(image: Int) -> ArraySlice<Int32> {
        indices[image * tokensPerImage..<(image + 1) * tokensPerImage]
    }
}
