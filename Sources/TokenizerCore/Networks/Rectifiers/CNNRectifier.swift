import Compute

/// The convolutional alternative: residual blocks whose 3×3 convolution works on fewer channels than the blocks pass on.
///
/// `conv_out(silu(norm(blocks(conv_in q))))`, each block `x + norm(expand(silu(mix(silu(reduce x)))))` with a 1×1 convolution to `rank`
/// channels, a 3×3 one between them and a 1×1 one back.
///
/// Source: ReVQ (arXiv 2507.10547), rectifier ablation, "low-rank residual blocks"; the block is ResNet's bottleneck
/// (arXiv 1512.03385) with DC-AE's norm.
package struct CNNRectifier: Layer {
    struct Block: Layer {
        var reduce, mix, expand: Conv2d
        var norm: RMSNorm

        init(width: Int, rank: Int, _ initializer: inout Initializer) {
            reduce = Conv2d(width, rank, kernel: 1, &initializer)
            mix = Conv2d(rank, rank, &initializer)
            expand = Conv2d(rank, width, kernel: 1, hasBias: false, &initializer)
            norm = RMSNorm(channels: width, &initializer)
        }

        func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
            let reduced = reduce.forward(copy x, activation: .silu, keeping: &kept)
            let mixed = mix.forward(reduced, activation: .silu, keeping: &kept)
            return norm.forward(expand.forward(mixed, keeping: &kept), adding: x, keeping: &kept)
        }

        func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Block) -> Tensor {
            var dx = copy dy
            let dmixed = expand.backward(norm.backward(dy, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.expand)
            let dreduced = mix.backward(Activation.silu.backward(dmixed, from: &kept), from: &kept, into: &gradient.mix)
            dx.add(reduce.backward(Activation.silu.backward(dreduced, from: &kept), from: &kept, into: &gradient.reduce))
            return dx
        }

        mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
            reduce.visit(path / "reduce", visitor)
            mix.visit(path / "mix", visitor)
            expand.visit(path / "expand", visitor)
            norm.visit(path / "norm", visitor)
        }
    }

    var convIn: Conv2d
    var blocks: LayerStack<Block>
    var norm: RMSNorm
    var convOut: Conv2d

    init(channels: Int, width: Int, depth: Int, rank: Int, _ initializer: inout Initializer) {
        convIn = Conv2d(channels, width, &initializer)
        blocks = LayerStack(depth, &initializer) { _, initializer in Block(width: width, rank: rank, &initializer) }
        norm = RMSNorm(channels: width, &initializer)
        convOut = Conv2d(width, channels, &initializer)
    }

    /// - Parameter q: `[n, h, w, c]`.
    package func forward(_ q: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        let hidden = blocks.forward(convIn.forward(q, keeping: &kept), keeping: &kept)
        return convOut.forward(norm.forward(hidden, activation: .silu, keeping: &kept), keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout CNNRectifier) -> Tensor {
        let dnormalized = Activation.silu.backward(convOut.backward(dy, from: &kept, into: &gradient.convOut), from: &kept)
        let dhidden = blocks.backward(norm.backward(dnormalized, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.blocks)
        return convIn.backward(dhidden, from: &kept, into: &gradient.convIn)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        convIn.visit(path / "conv_in", visitor)
        blocks.visit(path / "blocks", visitor)
        norm.visit(path / "norm_out", visitor)
        convOut.visit(path / "conv_out", visitor)
    }
}
