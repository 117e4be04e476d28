import Compute

/// The normalisation at the end of a block.
package enum Normalization: Layer {
    case rms(RMSNorm)
    case batch(BatchNorm)

    /// The names that configurations use.
    package enum Kind: String, Codable, Sendable {
        case rms = "rms_norm"
        case batch = "batch_norm"
    }

    init(_ kind: Kind, channels: Int, _ initializer: inout Initializer) {
        switch kind {
        case .rms: self = .rms(RMSNorm(channels: channels, &initializer))
        case .batch: self = .batch(BatchNorm(channels: channels, &initializer))
        }
    }

    /// Makes the layer answer zero until it has been trained; its weight receives gradients from the first step.
    mutating func zero() {
        switch consume self {
        case .rms(var norm):
            norm.weight = Tensor(zeros: norm.weight.shape)
            self = .rms(norm)
        case .batch(var norm):
            norm.weight = Tensor(zeros: norm.weight.shape)
            self = .batch(norm)
        }
    }

    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        switch self {
        case .rms(let norm): norm.forward(x, keeping: &kept)
        case .batch(let norm): norm.forward(x, keeping: &kept)
        }
    }

    /// `forward(x) + shortcut`, in one pass.
    func forward(_ x: consuming Tensor, adding shortcut: Tensor, keeping kept: inout Tape) -> Tensor {
        switch self {
        case .rms(let norm): norm.forward(x, adding: shortcut, keeping: &kept)
        case .batch(let norm): norm.forward(x, adding: shortcut, keeping: &kept)
        }
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Normalization) -> Tensor {
        switch (self, consume gradient) {
        case (.rms(let norm), .rms(var part)):
            let dx = norm.backward(dy, from: &kept, into: &part)
            gradient = .rms(part)
            return dx
        case (.batch(let norm), .batch(var part)):
            let dx = norm.backward(dy, from: &kept, into: &part)
            gradient = .batch(part)
            return dx
        default: preconditionFailure("a gradient has the kind of its layer")
        }
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        switch consume self {
        case .rms(var norm):
            norm.visit(path, visitor)
            self = .rms(norm)
        case .batch(var norm):
            norm.visit(path, visitor)
            self = .batch(norm)
        }
    }
}
