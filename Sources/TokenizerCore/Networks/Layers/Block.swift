import Compute

/// One entry of a stage.
package enum Block: Layer {
    case residual(ResBlock)
    case efficientViT(EfficientViTBlock)
    case down(Downsampling)
    case up(Upsampling)

    /// The names that configurations use for the repeated blocks.
    package enum Kind: String, Codable, Sendable {
        case residual = "ResBlock"
        case efficientViT = "EfficientViTBlock"
    }

    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        switch self {
        case .residual(let layer): layer.forward(x, keeping: &kept)
        case .efficientViT(let layer): layer.forward(x, keeping: &kept)
        case .down(let layer): layer.forward(x, keeping: &kept)
        case .up(let layer): layer.forward(x, keeping: &kept)
        }
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Block) -> Tensor {
        switch (self, consume gradient) {
        case (.residual(let layer), .residual(var part)):
            let dx = layer.backward(dy, from: &kept, into: &part)
            gradient = .residual(part)
            return dx
        case (.efficientViT(let layer), .efficientViT(var part)):
            let dx = layer.backward(dy, from: &kept, into: &part)
            gradient = .efficientViT(part)
            return dx
        case (.down(let layer), .down(var part)):
            let dx = layer.backward(dy, from: &kept, into: &part)
            gradient = .down(part)
            return dx
        case (.up(let layer), .up(var part)):
            let dx = layer.backward(dy, from: &kept, into: &part)
            gradient = .up(part)
            return dx
        default: preconditionFailure("a gradient has the kind of its layer")
        }
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        switch consume self {
        case .residual(var layer):
            layer.visit(path, visitor)
            self = .residual(layer)
        case .efficientViT(var layer):
            layer.visit(path, visitor)
            self = .efficientViT(layer)
        case .down(var layer):
            layer.visit(path, visitor)
            self = .down(layer)
        case .up(var layer):
            layer.visit(path, visitor)
            self = .up(layer)
        }
    }
}
