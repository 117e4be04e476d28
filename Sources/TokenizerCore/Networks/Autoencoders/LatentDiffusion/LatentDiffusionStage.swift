import Compute

/// Residual blocks at one resolution, and the step to the next one where there is one.
struct LatentDiffusionStage<Step: Layer>: Layer {
    var blocks: LayerStack<ResnetBlock>
    var step: Step?
    /// What files call the step.
    private let stepName: String

    /// - Parameters:
    ///   - layers: of residual blocks, the first of which takes `input` channels.
    ///   - stepName: what files call the step.
    ///   - step: makes it; nil for the last stage.
    init(
        _ input: Int, _ output: Int, layers: Int, _ architecture: LatentDiffusionArchitecture, _ initializer: inout Initializer,
        stepName: String, step: (inout Initializer) -> Step?
    ) {
        self.stepName = stepName
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
        let stepPath = path / stepName / 0
        step?.visit(stepPath, visitor)
    }
}
