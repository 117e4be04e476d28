import Compute

/// Halves the resolution: a strided convolution, or a convolution followed by pixel-unshuffle, plus the channel-averaging shortcut.
///
/// Source: diffusers `DCDownBlock2d`.
package struct Downsampling: Layer {
    /// The names that configurations use; anything but `pixel_unshuffle` means a strided convolution.
    package enum Kind: String, Codable, Sendable {
        case conv
        case pixelUnshuffle = "pixel_unshuffle"
    }

    var conv: Conv2d
    private let kind: Kind
    /// Channels of the unshuffled input averaged into one output channel; nil without shortcut.
    private let shortcutGroup: Int?

    init(_ input: Int, _ output: Int, kind: Kind, hasShortcut: Bool, _ initializer: inout Initializer) {
        conv = kind == .conv ? Conv2d(input, output, stride: 2, &initializer) : Conv2d(input, output / 4, &initializer)
        self.kind = kind
        shortcutGroup = hasShortcut ? 4 * input / output : nil
    }

    /// `[n, h, w, in]` → `[n, h/2, w/2, out]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var y = conv.forward(copy x, keeping: &kept)
        if kind == .pixelUnshuffle { y = PixelShuffle.unshuffle(y, factor: 2) }
        if let shortcutGroup { Shortcut.addDownsampled(x, group: shortcutGroup, to: &y) }
        return y
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Downsampling) -> Tensor {
        let dconv = kind == .pixelUnshuffle ? PixelShuffle.shuffle(dy, factor: 2) : copy dy
        var dx = conv.backward(dconv, from: &kept, into: &gradient.conv)
        if let shortcutGroup { dx.add(PixelShuffle.shuffle(ChannelGroups.meanBackward(dy, size: shortcutGroup), factor: 2)) }
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        conv.visit(path / "conv", visitor)
    }
}
