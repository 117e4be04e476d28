import Compute

/// Corrects a drawn picture: sees its pixels, gathered into small tiles, and adds what a picture drawn so is most likely to lack.
///
/// Behind a code of large patches it takes away their edges. It has no norm before its last convolution, so that the correction of
/// flat places can be as small as it should be.
package struct PictureRefiner: Layer {
    var convIn: Conv2d
    var blocks: [ResBlock]
    var convOut: Conv2d
    private let factor: Int

    init(_ configuration: PatchCodeConfiguration.Refiner, imageChannels: Int, _ initializer: inout Initializer) {
        let tile = imageChannels * configuration.factor * configuration.factor
        convIn = Conv2d(tile, configuration.channels, &initializer)
        blocks = (0..<configuration.layers).map { _ in
            ResBlock(channels: configuration.channels, norm: .rms, activation: .silu, &initializer)
        }
        convOut = Conv2d(configuration.channels, tile, &initializer)
        convOut.zero()
        factor = configuration.factor
    }

    /// - Parameter x: `[n, h, w, 3]`; the refiner's factor divides h and w.
    /// - Returns: of the same shape.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = convIn.forward(PixelShuffle.unshuffle(x, factor: factor), keeping: &kept)
        for block in blocks { hidden = block.forward(hidden, keeping: &kept) }
        var y = PixelShuffle.shuffle(convOut.forward(hidden, keeping: &kept), factor: factor)
        y.add(x)
        return y
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout PictureRefiner) -> Tensor {
        var dx = convOut.backward(PixelShuffle.unshuffle(dy, factor: factor), from: &kept, into: &gradient.convOut)
        for i in blocks.indices.reversed() { dx = blocks[i].backward(dx, from: &kept, into: &gradient.blocks[i]) }
        dx = PixelShuffle.shuffle(convIn.backward(dx, from: &kept, into: &gradient.convIn), factor: factor)
        dx.add(dy)
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        convIn.visit(path / "conv_in", visitor)
        for i in blocks.indices { blocks[i].visit(path / "blocks" / i, visitor) }
        convOut.visit(path / "conv_out", visitor)
    }
}
