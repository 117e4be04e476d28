import Compute

/// Between pixels and the first stage: a plain convolution, or one that changes the resolution when the first stage is empty.
enum PixelConvolution: Layer {
    case plain(Conv2d)
    case resampling(Block)

    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        switch self {
        case .plain(let layer): layer.forward(x, keeping: &kept)
        case .resampling(let layer): layer.forward(x, keeping: &kept)
        }
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout PixelConvolution) -> Tensor {
        switch (self, consume gradient) {
        case (.plain(let layer), .plain(var part)):
            let dx = layer.backward(dy, from: &kept, into: &part)
            gradient = .plain(part)
            return dx
        case (.resampling(let layer), .resampling(var part)):
            let dx = layer.backward(dy, from: &kept, into: &part)
            gradient = .resampling(part)
            return dx
        default: preconditionFailure("a gradient has the kind of its layer")
        }
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        switch consume self {
        case .plain(var layer):
            layer.visit(path, visitor)
            self = .plain(layer)
        case .resampling(var layer):
            layer.visit(path, visitor)
            self = .resampling(layer)
        }
    }

    /// Makes the last convolution answer zero, see ``Conv2d/zero()``.
    mutating func zero() {
        switch self {
        case .plain(var conv):
            conv.zero()
            self = .plain(conv)
        case .resampling(.up(var layer)):
            layer.conv.zero()
            self = .resampling(.up(layer))
        case .resampling: preconditionFailure("only what draws pixels is zeroed")
        }
    }
}
