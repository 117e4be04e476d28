import Compute

/// Residual blocks at one resolution, and the step to the next one where there is one.
struct LatentDiffusionStage: Layer {
    enum Step: Layer {
        case down(PaddedDownsampling)
        case up(Upsampling)

        func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
            switch self {
            case .down(let layer): layer.forward(x, keeping: &kept)
            case .up(let layer): layer.forward(x, keeping: &kept)
            }
        }

        func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Step) -> Tensor {
            switch (self, consume gradient) {
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

        mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
            switch consume self {
            case .down(var layer):
                layer.visit(path / "downsamplers" / 0, visitor)
                self = .down(layer)
            case .up(var layer):
                layer.visit(path / "upsamplers" / 0, visitor)
                self = .up(layer)
            }
        }
    }

    var blocks: LayerStack<ResnetBlock>
    var step: Step?

    /// - Parameter layers: of residual blocks, the first of which takes `input` channels.
    init(
        _ input: Int, _ output: Int, layers: Int, _ architecture: LatentDiffusionArchitecture, _ initializer: inout Initializer,
        step: (inout Initializer) -> Step?
    ) {
        blocks = LayerStack(layers, &initializer) { index, initializer in
            ResnetBlock(index == 0 ? input : output, output, groups: architecture.groups, activation: architecture.activation, &initializer)
        }
        self.step = step(&initializer)
    }

    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = blocks.forward(x, keeping: &kept)
        if let step { hidden = step.forward(hidden, keeping: &kept) }
        return hidden
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout LatentDiffusionStage) -> Tensor {
        var dhidden = dy
        if let step { dhidden = step.backward(dhidden, from: &kept, into: &gradient.step!) }
        return blocks.backward(dhidden, from: &kept, into: &gradient.blocks)
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        blocks.visit(path / "resnets", visitor)
        step?.visit(path, visitor)
    }
}
