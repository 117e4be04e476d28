import Compute

/// `shortcut(x) + conv2(act(norm2(conv1(act(norm1 x)))))`, both convolutions 3×3; the shortcut is a projection where the channels change.
///
/// Source: diffusers `ResnetBlock2D` without time embedding.
package struct ResnetBlock: Layer {
    var norm1: GroupNorm
    var conv1: Conv2d
    var norm2: GroupNorm
    var conv2: Conv2d
    var shortcut: Conv2d?
    private let activation: Activation

    init(_ input: Int, _ output: Int, groups: Int, activation: Activation, _ initializer: inout Initializer) {
        norm1 = GroupNorm(channels: input, groups: groups, &initializer)
        conv1 = Conv2d(input, output, &initializer)
        norm2 = GroupNorm(channels: output, groups: groups, &initializer)
        conv2 = Conv2d(output, output, &initializer)
        shortcut = input == output ? nil : Conv2d(input, output, kernel: 1, &initializer)
        self.activation = activation
    }

    /// - Parameter x: `[n, h, w, input]`.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        if shortcut == nil, ComputeContext.current.isInterrupted { return x }
        var hidden = norm1.forward(copy x, activation: activation, keeping: &kept)
        hidden = norm2.forward(conv1.forward(hidden, keeping: &kept), activation: activation, keeping: &kept)
        var y = conv2.forward(hidden, keeping: &kept)
        if let shortcut {
            y.add(shortcut.forward(x, keeping: &kept))
        } else {
            y.add(x)
        }
        return y
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout ResnetBlock) -> Tensor {
        var dx = copy dy
        if let shortcut { dx = shortcut.backward(dx, from: &kept, into: &gradient.shortcut!) }
        var dhidden = activation.backward(conv2.backward(dy, from: &kept, into: &gradient.conv2), from: &kept)
        dhidden = conv1.backward(norm2.backward(dhidden, from: &kept, into: &gradient.norm2), from: &kept, into: &gradient.conv1)
        dx.add(norm1.backward(activation.backward(dhidden, from: &kept), from: &kept, into: &gradient.norm1))
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        norm1.visit(path / "norm1", visitor)
        conv1.visit(path / "conv1", visitor)
        norm2.visit(path / "norm2", visitor)
        conv2.visit(path / "conv2", visitor)
        shortcut?.visit(path / "conv_shortcut", visitor)
    }
}
