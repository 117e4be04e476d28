import Compute

/// The paper's fully connected alternative: all latents of an image at once, `y = norm(W₂ silu(W₁ x)) + W₃ x` several times, then a
/// linear layer back.
///
/// Source: ReVQ (arXiv 2507.10547), rectifier ablation.
package struct MLPRectifier: Layer {
    struct Block: Layer {
        var first, second, shortcut: Conv2d
        var norm: BatchNorm

        func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
            let hidden = first.forward(copy x, activation: .silu, keeping: &kept)
            var y = norm.forward(second.forward(hidden, keeping: &kept), keeping: &kept)
            y.add(shortcut.forward(x, keeping: &kept))
            return y
        }

        func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Block) -> Tensor {
            var dx = shortcut.backward(copy dy, from: &kept, into: &gradient.shortcut)
            let dhidden = second.backward(norm.backward(dy, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.second)
            dx.add(first.backward(Activation.silu.backward(dhidden, from: &kept), from: &kept, into: &gradient.first))
            return dx
        }

        mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
            first.visit(path / "linear1", visitor)
            second.visit(path / "linear2", visitor)
            norm.visit(path / "norm", visitor)
            shortcut.visit(path / "skip", visitor)
        }
    }

    var blocks: LayerStack<Block>
    var convOut: Conv2d
    private let shape: LatentShape

    init(shape: LatentShape, width: Int, depth: Int, _ initializer: inout Initializer) {
        blocks = LayerStack(depth, &initializer) { i, initializer in
            let input = i == 0 ? shape.count : width
            return Block(
                first: Conv2d(input, width, kernel: 1, &initializer), second: Conv2d(width, width, kernel: 1, &initializer),
                shortcut: Conv2d(input, width, kernel: 1, &initializer), norm: BatchNorm(channels: width, &initializer))
        }
        convOut = Conv2d(width, shape.count, kernel: 1, &initializer)
        self.shape = shape
    }

    /// - Parameter q: `[n, h, w, c]`.
    package func forward(_ q: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        latents(convOut.forward(blocks.forward(row(q), keeping: &kept), keeping: &kept))
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout MLPRectifier) -> Tensor {
        let dhidden = convOut.backward(row(dy), from: &kept, into: &gradient.convOut)
        return latents(blocks.backward(dhidden, from: &kept, into: &gradient.blocks))
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        blocks.visit(path / "blocks", visitor)
        convOut.visit(path / "out", visitor)
    }

    /// An image's latents as the channels of one position.
    private func row(_ x: Tensor) -> Tensor {
        Latents(x).rows.reshaped([x.n, 1, 1, shape.count])
    }

    private func latents(_ row: Tensor) -> Tensor {
        Latents(rows: row.reshaped([row.n, shape.count]), shape: shape).map
    }
}
