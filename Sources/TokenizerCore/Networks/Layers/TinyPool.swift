import Compute

/// `x + W₂ · relu(norm(W₁ · x))`, the norm over the whole picture in 4 groups: what lets the middle of a tiny autoencoder see all of it.
///
/// Source: `Block` with `use_midblock_gn` in the authors' taesd.py (github.com/madebyollin/taesd), which has it for FLUX.2's latents.
struct TinyPool: Layer {
    var expand: Conv2d
    var norm: GroupNorm
    var contract: Conv2d
    /// How many channels the norm sees for each of x.
    static let expansion = 4

    init(channels: Int, _ initializer: inout Initializer) {
        let hidden = Self.expansion * channels
        expand = Conv2d(channels, hidden, kernel: 1, hasBias: false, &initializer)
        norm = GroupNorm(channels: hidden, groups: 4, epsilon: 1e-5, &initializer)
        contract = Conv2d(hidden, channels, kernel: 1, hasBias: false, &initializer)
    }

    /// - Parameter x: `[n, h, w, c]`.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        let hidden = norm.forward(expand.forward(copy x, keeping: &kept), activation: .relu, keeping: &kept)
        var y = contract.forward(hidden, keeping: &kept)
        y.add(x)
        return y
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout TinyPool) -> Tensor {
        var dx = copy dy
        let dhidden = Activation.relu.backward(contract.backward(dy, from: &kept, into: &gradient.contract), from: &kept)
        dx.add(expand.backward(norm.backward(dhidden, from: &kept, into: &gradient.norm), from: &kept, into: &gradient.expand))
        return dx
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        expand.visit(path / 0, visitor)
        norm.visit(path / 1, visitor)
        contract.visit(path / 3, visitor)
    }
}
