import Compute

/// A step of a ``PictureRefiner`` to twice the resolution: what is known so far, enlarged, and the drawn picture as it is there.
struct FinerScale: Parameterized {
    var enlarging: Upsampling
    var convIn: Conv2d
    var blocks: [ResBlock]
    private let factor: Int

    /// - Parameters:
    ///   - channels: of the coarser map.
    ///   - tile: numbers of the picture at each position of the finer one, whose tiles are `factor` pixels wide.
    init(
        _ configuration: PatchCodeConfiguration.Refiner.Scale, below channels: Int, tile: Int, factor: Int, _ initializer: inout Initializer
    ) {
        enlarging = Upsampling(channels, configuration.channels, kind: .interpolate, hasShortcut: false, &initializer)
        convIn = Conv2d(tile, configuration.channels, &initializer)
        blocks = (0..<configuration.layers).map { _ in
            ResBlock(channels: configuration.channels, norm: .rms, activation: .silu, &initializer)
        }
        self.factor = factor
    }

    /// - Parameters:
    ///   - hidden: `[n, h, w, channels]`.
    ///   - picture: `[n, 2h·factor, 2w·factor, 3]`.
    /// - Returns: `[n, 2h, 2w, channels of this scale]`.
    func forward(_ hidden: consuming Tensor, beside picture: Tensor, keeping kept: inout Tape) -> Tensor {
        var finer = enlarging.forward(hidden, keeping: &kept)
        finer.add(convIn.forward(PixelShuffle.unshuffle(picture, factor: factor), keeping: &kept))
        for block in blocks { finer = block.forward(finer, keeping: &kept) }
        return finer
    }

    /// - Parameter dpicture: the gradient for the picture is added to it.
    /// - Returns: the gradient for the coarser map.
    func backward(
        _ dy: consuming Tensor, addingTo dpicture: inout Tensor, from kept: inout Tape, into gradient: inout FinerScale
    ) -> Tensor {
        var dfiner = dy
        for i in blocks.indices.reversed() { dfiner = blocks[i].backward(dfiner, from: &kept, into: &gradient.blocks[i]) }
        dpicture.add(PixelShuffle.shuffle(convIn.backward(copy dfiner, from: &kept, into: &gradient.convIn), factor: factor))
        return enlarging.backward(dfiner, from: &kept, into: &gradient.enlarging)
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        enlarging.visit(path / "enlarging", visitor)
        convIn.visit(path / "conv_in", visitor)
        for i in blocks.indices { blocks[i].visit(path / "blocks" / i, visitor) }
    }
}
