import Compute

/// Corrects a drawn picture: sees its pixels, gathered into small tiles, and adds what a picture drawn so is most likely to lack.
///
/// Behind a code of large patches it takes away their edges. It has no norm before its last convolution, so that the correction of
/// flat places can be as small as it should be. Drawn from tiles at once, a correction that is trained to look right rather than to be near
/// weaves their grid into the picture; through ``FinerScale``s the pixels of a tile are drawn by the same weights.
package struct PictureRefiner: Layer {
    var convIn: Conv2d
    var blocks: [ResBlock]
    var scales: [FinerScale]
    var convOut: Conv2d
    private let factor, lastFactor: Int

    init(_ configuration: PatchCodeConfiguration.Refiner, imageChannels: Int, _ initializer: inout Initializer) {
        func tile(_ factor: Int) -> Int { imageChannels * factor * factor }
        (factor, lastFactor) = (configuration.factor, configuration.lastFactor)
        convIn = Conv2d(tile(factor), configuration.channels, &initializer)
        blocks = (0..<configuration.layers).map { _ in
            ResBlock(channels: configuration.channels, norm: .rms, activation: .silu, &initializer)
        }
        var (channels, side) = (configuration.channels, configuration.factor)
        scales = []
        for scale in configuration.scales ?? [] {
            side /= 2
            scales.append(FinerScale(scale, below: channels, tile: tile(side), factor: side, &initializer))
            channels = scale.channels
        }
        convOut = Conv2d(channels, tile(lastFactor), &initializer)
        convOut.zero()
    }

    /// - Parameter x: `[n, h, w, 3]`; the refiner's factor divides h and w.
    /// - Returns: of the same shape.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = convIn.forward(PixelShuffle.unshuffle(x, factor: factor), keeping: &kept)
        for block in blocks { hidden = block.forward(hidden, keeping: &kept) }
        for scale in scales { hidden = scale.forward(hidden, beside: x, keeping: &kept) }
        var y = PixelShuffle.shuffle(convOut.forward(hidden, keeping: &kept), factor: lastFactor)
        y.add(x)
        return y
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout PictureRefiner) -> Tensor {
        var dx = copy dy
        var dhidden = convOut.backward(PixelShuffle.unshuffle(dy, factor: lastFactor), from: &kept, into: &gradient.convOut)
        for i in scales.indices.reversed() {
            dhidden = scales[i].backward(dhidden, addingTo: &dx, from: &kept, into: &gradient.scales[i])
        }
        for i in blocks.indices.reversed() { dhidden = blocks[i].backward(dhidden, from: &kept, into: &gradient.blocks[i]) }
        dx.add(PixelShuffle.shuffle(convIn.backward(dhidden, from: &kept, into: &gradient.convIn), factor: factor))
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        convIn.visit(path / "conv_in", visitor)
        for i in blocks.indices { blocks[i].visit(path / "blocks" / i, visitor) }
        for i in scales.indices { scales[i].visit(path / "scales" / i, visitor) }
        convOut.visit(path / "conv_out", visitor)
    }
}
