import Compute

/// What `forward` leaves for `backward`: a stack that is filled bottom-up and emptied last-first.
///
/// For inference nothing is kept, so a layer's input stays uniquely held and in-place operations really are in place.
package struct Tape: Sendable {
    /// Whether a backward pass will follow. Layers that behave differently while training (``BatchNorm``) look at this.
    package let isKeeping: Bool
    /// Told of each layer's own tensors in the gradient, once the backward pass has added all that it will to them; layers are in the order of
    /// the pass. Nil where nobody waits for them.
    package var receiver: GradientReceiver?
    private var stack: [Tensor] = []

    private init(isKeeping: Bool) {
        self.isKeeping = isKeeping
    }

    package static var forgetting: Tape { Tape(isKeeping: false) }
    package static var keeping: Tape { Tape(isKeeping: true) }

    package var isEmpty: Bool { stack.isEmpty }

    package mutating func keep(_ tensor: @autoclosure () -> Tensor) {
        if isKeeping { stack.append(tensor()) }
    }

    /// - Precondition: a matching `keep` came before.
    package mutating func take() -> Tensor {
        guard let tensor = stack.popLast() else { preconditionFailure("backward took more activations than forward kept") }
        return tensor
    }

    /// Says that a layer's gradient is complete: a backward pass comes to each layer once.
    func finish(_ gradient: some Parameterized) {
        receiver?(gradient.tensors.map(\.tensor))
    }
}

/// Takes what a backward pass has finished, on the thread of the pass.
package typealias GradientReceiver = @Sendable (_ gradient: [Tensor]) -> Void

extension Activation {
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        guard kept.isKeeping else { return self(x) }
        let y = applied(to: x)
        kept.keep(x)
        return y
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape) -> Tensor {
        gradient(dy, at: kept.take())
    }
}
