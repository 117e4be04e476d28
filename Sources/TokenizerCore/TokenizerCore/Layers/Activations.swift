/// What `forward` leaves for `backward`: a stack that is filled bottom-up and emptied last-first.
///
/// For inference nothing is kept, so a layer's input stays uniquely held and in-place operations really are in place.
public struct Activations: Sendable {
    /// Whether a backward pass will follow. Layers that behave differently while training (``BatchNorm``) look at this.
    public let isKeeping: Bool
    private var stack: [Tensor] = []

    private init(isKeeping: Bool) {
        self.isKeeping = isKeeping
    }

    public static var forgetting: Activations { Activations(isKeeping: false) }
    public static var keeping: Activations { Activations(isKeeping: true) }

    public var isEmpty: Bool { stack.isEmpty }

    mutating func keep(_ tensor: @autoclosure () -> Tensor) {
        if isKeeping { stack.append(tensor()) }
    }

    /// - Precondition: a matching `keep` came before.
    mutating func take() -> Tensor {
        guard let tensor = stack.popLast() else { preconditionFailure("backward took more activations than forward kept") }
        return tensor
    }
}
