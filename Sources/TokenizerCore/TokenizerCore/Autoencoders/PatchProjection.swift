/// A linear code of square patches: each patch becomes one position of a few channels, or is drawn from them.
///
/// Trained or set to principal components, this is the best a linear tokenizer can do; a network beside it adds the rest.
public struct PatchProjection: Layer {
    /// Which way the projection goes.
    enum Direction: Sendable {
        case analysis
        case synthesis
    }

    /// A 1×1 convolution between the patch's `3·f²` numbers (channel, row, column order) and the latent channels.
    var projection: Conv2d
    private let factor: Int
    private let direction: Direction

    init(_ direction: Direction, imageChannels: Int, latentChannels: Int, factor: Int, _ initializer: inout Initializer) {
        let patch = imageChannels * factor * factor
        projection =
            direction == .analysis
            ? Conv2d(patch, latentChannels, kernel: 1, &initializer) : Conv2d(latentChannels, patch, kernel: 1, &initializer)
        self.factor = factor
        self.direction = direction
    }

    /// Analysis: `[n, h, w, 3]` → `[n, h/f, w/f, latent]`; synthesis the other way.
    public func forward(_ x: consuming Tensor, keeping kept: inout Activations) -> Tensor {
        switch direction {
        case .analysis: projection.forward(PixelShuffle.unshuffle(x, factor: factor), keeping: &kept)
        case .synthesis: PixelShuffle.shuffle(projection.forward(x, keeping: &kept), factor: factor)
        }
    }

    public func backward(_ dy: consuming Tensor, from kept: inout Activations, into gradient: inout PatchProjection) -> Tensor {
        switch direction {
        case .analysis:
            PixelShuffle.shuffle(projection.backward(dy, from: &kept, into: &gradient.projection), factor: factor)
        case .synthesis:
            projection.backward(PixelShuffle.unshuffle(dy, factor: factor), from: &kept, into: &gradient.projection)
        }
    }

    public mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        projection.visit(path / "projection", visitor)
    }
}
