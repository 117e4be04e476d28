import Compute

/// Halves the resolution: a 3×3 convolution with stride 2 whose padding is right and below alone.
///
/// Source: diffusers `Downsample2D` with padding 0.
package struct PaddedDownsampling: Layer {
    var conv: Conv2d

    init(_ channels: Int, _ initializer: inout Initializer) {
        conv = Conv2d(channels, channels, stride: 2, &initializer)
    }

    /// `[n, h, w, c]` → `[n, h/2, w/2, c]`; h and w are even.
    ///
    /// The convolution's windows are centred on even pixels. Behind a border they begin at them, and the results of the first row and column,
    /// which lie before the picture, are left out.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        let (h, w) = (x.h, x.w)
        let y = conv.forward(x.window(rows: -1..<h + 1, columns: -1..<w + 1), keeping: &kept)
        return y.window(rows: 1..<h / 2 + 1, columns: 1..<w / 2 + 1)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout PaddedDownsampling) -> Tensor {
        let (h, w) = (dy.h, dy.w)
        let dx = conv.backward(dy.window(rows: -1..<h, columns: -1..<w), from: &kept, into: &gradient.conv)
        return dx.window(rows: 1..<2 * h + 1, columns: 1..<2 * w + 1)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        conv.visit(path / "conv", visitor)
    }
}
