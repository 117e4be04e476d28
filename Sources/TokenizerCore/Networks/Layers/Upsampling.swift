import Compute

/// Doubles the resolution: nearest ×2 then a convolution, or a convolution followed by pixel-shuffle, plus the channel-repeating shortcut.
///
/// Source: diffusers `DCUpBlock2d`.
package struct Upsampling: Layer {
    /// The names that configurations use; anything but `interpolate` means pixel-shuffle.
    package enum Kind: String, Codable, Sendable {
        case interpolate
        case pixelShuffle = "pixel_shuffle"
    }

    var conv: Conv2d
    private let kind: Kind
    /// How often the shortcut repeats each input channel before shuffling; nil without shortcut.
    private let shortcutRepeats: Int?

    init(_ input: Int, _ output: Int, kind: Kind, hasShortcut: Bool, _ initializer: inout Initializer) {
        conv = Conv2d(input, kind == .interpolate ? output : 4 * output, &initializer)
        self.kind = kind
        shortcutRepeats = hasShortcut ? 4 * output / input : nil
    }

    /// `[n, h, w, in]` → `[n, 2h, 2w, out]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var y: Tensor
        switch kind {
        case .interpolate: y = conv.forwardEnlarging(copy x, keeping: &kept)
        case .pixelShuffle: y = PixelShuffle.shuffle(conv.forward(copy x, keeping: &kept), factor: 2)
        }
        if let shortcutRepeats { Shortcut.addUpsampled(x, repeats: shortcutRepeats, to: &y) }
        return y
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Upsampling) -> Tensor {
        var dx: Tensor
        switch kind {
        case .interpolate: dx = NearestUpsampling.backward(conv.backward(copy dy, from: &kept, into: &gradient.conv))
        case .pixelShuffle: dx = conv.backward(PixelShuffle.unshuffle(dy, factor: 2), from: &kept, into: &gradient.conv)
        }
        if let shortcutRepeats {
            dx.add(ChannelGroups.repeatBackward(PixelShuffle.unshuffle(dy, factor: 2), count: shortcutRepeats))
        }
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        conv.visit(path / "conv", visitor)
    }
}
