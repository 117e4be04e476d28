import Compute

/// What both halves have at the coarsest resolution: a residual block, attention where there is any, and another block.
///
/// Source: diffusers `UNetMidBlock2D`.
struct LatentDiffusionMiddle: Layer {
    var before: ResnetBlock
    var attention: SelfAttention?
    var after: ResnetBlock

    init(_ architecture: LatentDiffusionArchitecture, _ initializer: inout Initializer) {
        let (c, groups) = (architecture.last, architecture.groups)
        before = ResnetBlock(c, c, groups: groups, activation: architecture.activation, &initializer)
        attention = architecture.hasAttention ? SelfAttention(channels: c, groups: groups, &initializer) : nil
        after = ResnetBlock(c, c, groups: groups, activation: architecture.activation, &initializer)
    }

    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = before.forward(x, keeping: &kept)
        if let attention { hidden = attention.forward(hidden, keeping: &kept) }
        return after.forward(hidden, keeping: &kept)
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout LatentDiffusionMiddle) -> Tensor {
        var dx = after.backward(dy, from: &kept, into: &gradient.after)
        if let attention { dx = attention.backward(dx, from: &kept, into: &gradient.attention!) }
        return before.backward(dx, from: &kept, into: &gradient.before)
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        before.visit(path / "resnets" / 0, visitor)
        attention?.visit(path / "attentions" / 0, visitor)
        after.visit(path / "resnets" / 1, visitor)
    }
}
