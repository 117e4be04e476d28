/// How large pictures of another size than a model's own may be.
///
/// A picture takes as many places in the queue as pictures of the model's own size have its pixels, and no batch has more pixels than a full one of
/// those or a single picture: what a request costs is bounded by what the operator lets a queue, a batch and a picture be.
struct SizeLimits: Sendable, Equatable {
    /// The most pixels of one; 0 where there are none of another size.
    let mostPixels: Int
    /// How many places one operation has.
    let places: Int

    /// The most pixels that a picture of another size may have; nil where the model has pictures of its own size alone.
    func mostPixels(of model: ModelFacts) -> Int? {
        guard let step = model.sizeStep else { return nil }
        let byTokens = ClaimedTokens.maximumCount / model.tokensPerImage * model.size.pixels
        let most = min(mostPixels, places * model.size.pixels, byTokens)
        return most >= step * step ? most : nil
    }

    /// - Throws: why there are no tokens of pictures of this size.
    func check(_ size: PictureSize, of model: ModelFacts) throws(SizeRefusal) {
        guard size != model.size else { return }
        guard let step = model.sizeStep else {
            throw SizeRefusal("the model has pictures of \(model.size.words) only: its codes, statistics or rectifier belong to that size")
        }
        guard let most = mostPixels(of: model) else { throw SizeRefusal("this server has pictures of \(model.size.words) only") }
        guard size.height % step == 0, size.width % step == 0 else {
            throw SizeRefusal("the size is \(size.words); the sides of the model's pictures are multiples of \(step)")
        }
        guard size.pixels <= most else { throw SizeRefusal("the size is \(size.words), which is \(size.pixels); at most \(most) are possible here") }
    }
}

/// A size of which there are no tokens.
struct SizeRefusal: Error, Equatable {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
