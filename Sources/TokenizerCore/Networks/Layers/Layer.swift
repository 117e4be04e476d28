import Compute

/// A differentiable part of a network. Its gradient has its own type: the same structure holding dL/d(parameter).
package protocol Layer: Parameterized {
    /// - Parameter kept: receives what ``backward(_:from:into:)`` will need.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor

    /// The gradient of the loss for the input, given the one for the output; adds the parameters' share to `gradient`.
    ///
    /// - Parameter kept: the stack that `forward` left; what this layer kept is removed.
    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Self) -> Tensor
}

extension Layer {
    package func callAsFunction(_ x: consuming Tensor) -> Tensor {
        var kept = Tape.forgetting
        return forward(x, keeping: &kept)
    }
}
