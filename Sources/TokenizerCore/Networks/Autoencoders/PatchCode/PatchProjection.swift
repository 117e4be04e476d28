import Compute

/// A linear code of square patches: each patch becomes one position of a few channels, or is drawn from them.
///
/// Set to principal components, this is the best a linear tokenizer can do; a network beside it is trained to add the rest.
struct PatchProjection: Layer {
    /// Which way the projection goes.
    enum Direction: Sendable {
        case analysis
        case synthesis
    }

    /// A 1×1 convolution between the patch's `3·f²` numbers (channel, row, column order) and the latent channels.
    var projection: Conv2d
    private let factor: Int
    private let direction: Direction

    init(_ direction: Direction, _ configuration: PatchCodeConfiguration, _ initializer: inout Initializer) {
        factor = configuration.factor
        let (patch, latents) = (configuration.imageChannels * factor * factor, configuration.latentChannels)
        projection =
            direction == .analysis
            ? Conv2d(patch, latents, kernel: 1, &initializer) : Conv2d(latents, patch, kernel: 1, &initializer)
        self.direction = direction
    }

    /// Analysis: `[n, h, w, 3]` → `[n, h/f, w/f, latent]`; synthesis the other way.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        switch direction {
        case .analysis: projection.forward(PixelShuffle.unshuffle(x, factor: factor), keeping: &kept)
        case .synthesis: PixelShuffle.shuffle(projection.forward(x, keeping: &kept), factor: factor)
        }
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout PatchProjection) -> Tensor {
        switch direction {
        case .analysis:
            PixelShuffle.shuffle(projection.backward(dy, from: &kept, into: &gradient.projection), factor: factor)
        case .synthesis:
            projection.backward(PixelShuffle.unshuffle(dy, factor: factor), from: &kept, into: &gradient.projection)
        }
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        // Its entries range over orders of magnitude and are right from the start: equal steps for all would destroy it.
        projection.visit(path / "projection") { path, _, tensor in visitor(path, .fixed, &tensor) }
    }
}

extension Autoencoder {
    /// `[n·h/f·w/f, 3·f²]`: the patches of `pixels`, `[n, h, w, 3]`, as a patch code sees them.
    package static func patches(of pixels: Tensor, factor: Int) -> Tensor {
        let unshuffled = PixelShuffle.unshuffle(pixels, factor: factor)
        return unshuffled.reshaped([unshuffled.rows, unshuffled.c])
    }

    /// Sets the patch code to `scale · basis · (patch − mean)` and its inverse, where `basis` is `[latentChannels][3·f²]`, orthonormal.
    ///
    /// - Precondition: it is a patch code; `scale` is not zero.
    package mutating func setPatchCode(mean: [Double], basis: [[Double]], scale: Double) {
        guard var analyser = encoder.layer as? PatchCodeEncoder, var drawer = decoder.layer as? PatchCodeDecoder else {
            preconditionFailure("only \(PatchCodeConfiguration.className) has a patch code")
        }
        let (patch, channels) = (mean.count, basis.count)
        let analysis = (0..<channels).flatMap { row in basis[row].map { Float($0 * scale) } }
        let offsets = (0..<channels).map { row in Float(-scale * zip(basis[row], mean).reduce(0) { $0 + $1.0 * $1.1 }) }
        let synthesis = (0..<patch).flatMap { j in (0..<channels).map { Float(basis[$0][j] / scale) } }
        analyser.code.projection.set(weight: Tensor(analysis, shape: [channels, patch, 1, 1]), bias: Tensor(offsets, shape: [channels]))
        drawer.code.projection.set(
            weight: Tensor(synthesis, shape: [patch, channels, 1, 1]), bias: Tensor(mean.map(Float.init), shape: [patch]))
        (encoder, decoder) = (AnyLayer(analyser), AnyLayer(drawer))
    }

    /// `finished` with a refiner of another shape, which starts by changing nothing, or with its own where the shape is the same.
    /// - Precondition: `configuration` differs in the refiner only.
    package init(_ configuration: AutoencoderConfiguration, extending finished: Autoencoder, _ initializer: Initializer) {
        precondition(configuration.differsOnlyInRefiner(from: finished.configuration), "only a refiner can be added to what is finished")
        self.init(configuration, initializer)
        encoder = finished.encoder
        if configuration != finished.configuration, var extended = decoder.layer as? PatchCodeDecoder,
            let drawer = finished.decoder.layer as? PatchCodeDecoder
        {
            (extended.network, extended.code) = (drawer.network, drawer.code)
            decoder = AnyLayer(extended)
        } else {
            decoder = finished.decoder
        }
    }
}
