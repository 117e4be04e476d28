import Compute

/// What `forward` leaves for `backward`: a stack that is filled bottom-up and emptied last-first.
///
/// For inference nothing is kept, so a layer's input stays uniquely held and in-place operations really are in place.
package struct Tape: Sendable {
    /// Whether a backward pass will follow. Layers that behave differently while training (``BatchNorm``) look at this.
    package let isKeeping: Bool
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
}

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
