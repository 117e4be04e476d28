import Compute

/// Pixels → latents by plain convolutions, at halved resolutions.
///
/// Source: diffusers `EncoderTiny`; with a stem `F32Encoder` of github.com/madebyollin/taesd, taesd.py.
struct TinyEncoder: Layer {
    var opening: TinyOpening
    /// Finest stage first.
    var stages: [[TinyBlock]]
    /// Before each stage but the first, to half the resolution.
    var steps: [Conv2d]
    var convOut: Conv2d

    init(_ configuration: TinyConfiguration, _ initializer: inout Initializer) {
        let half = configuration.encoder
        opening = TinyOpening(configuration, &initializer)
        (stages, steps) = ([], [])
        for i in half.blocks.indices {
            if i > 0 { steps.append(Conv2d(half.channels[i - 1], half.channels[i], stride: 2, hasBias: false, &initializer)) }
            let hasPools = configuration.hasPools && i == half.blocks.count - 1
            stages.append(half.stage(i, configuration.activation, hasPools: hasPools, &initializer))
        }
        convOut = Conv2d(half.channels[half.channels.count - 1], configuration.latentChannels, &initializer)
    }

    /// - Parameter x: `[n, h, w, 3]` in −1 … 1; the factor divides h and w.
    /// - Returns: `[n, h/factor, w/factor, latentChannels]`.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        // The network was trained on pixels in 0 … 1.
        x.scale(by: 0.5, plus: 0.5)
        var hidden = opening.forward(x, keeping: &kept)
        for (i, stage) in stages.enumerated() {
            if i > 0 { hidden = steps[i - 1].forward(hidden, keeping: &kept) }
            for block in stage { hidden = block.forward(hidden, keeping: &kept) }
        }
        return convOut.forward(hidden, keeping: &kept)
    }

    func backward(_ dz: consuming Tensor, from kept: inout Tape, into gradient: inout TinyEncoder) -> Tensor {
        var dx = convOut.backward(dz, from: &kept, into: &gradient.convOut)
        for i in stages.indices.reversed() {
            for j in stages[i].indices.reversed() { dx = stages[i][j].backward(dx, from: &kept, into: &gradient.stages[i][j]) }
            if i > 0 { dx = steps[i - 1].backward(dx, from: &kept, into: &gradient.steps[i - 1]) }
        }
        dx = opening.backward(dx, from: &kept, into: &gradient.opening)
        dx.multiply(by: 0.5)
        return dx
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        var names = LayerNames(path)
        opening.visit(&names, visitor)
        for i in stages.indices {
            if i > 0 { steps[i - 1].visit(names.next(), visitor) }
            for j in stages[i].indices { stages[i][j].visit(names.next(), visitor) }
        }
        convOut.visit(names.next(), visitor)
    }
}

/// The names of modules that files number through: `layers.0`, `layers.1`, …
struct LayerNames {
    private let path: ParameterPath
    private var number = 0

    init(_ path: ParameterPath) {
        self.path = path / "layers"
    }

    mutating func next() -> ParameterPath {
        defer { number += 1 }
        return path / number
    }

    /// Passes over a module without weights.
    mutating func skip() { number += 1 }
}

extension TinyConfiguration.Half {
    /// The blocks of stage `i`.
    func stage(_ i: Int, _ activation: Activation, hasPools: Bool, _ initializer: inout Initializer) -> [TinyBlock] {
        var stage: [TinyBlock] = []
        for _ in 0..<blocks[i] { stage.append(TinyBlock(channels: channels[i], activation: activation, hasPool: hasPools, &initializer)) }
        return stage
    }
}
