import Compute

/// One convolution at full resolution; or, of a stem, several, each to half the resolution and with an activation behind it.
struct TinyOpening {
    var convolutions: [Conv2d]
    /// Behind each convolution; nil without a stem.
    private let activation: Activation?

    init(_ configuration: TinyConfiguration, _ initializer: inout Initializer) {
        let stem = configuration.stem
        activation = stem.isEmpty ? nil : configuration.activation
        convolutions = []
        var channels = configuration.imageChannels
        for width in stem.isEmpty ? [configuration.encoder.channels[0]] : stem {
            convolutions.append(Conv2d(channels, width, stride: stem.isEmpty ? 1 : 2, &initializer))
            channels = width
        }
    }

    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        for convolution in convolutions {
            x =
                if let activation {
                    convolution.forward(x, activation: activation, keeping: &kept)
                } else {
                    convolution.forward(x, keeping: &kept)
                }
        }
        return x
    }

    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout TinyOpening) -> Tensor {
        for i in convolutions.indices.reversed() {
            if let activation { dy = activation.backward(dy, from: &kept) }
            dy = convolutions[i].backward(dy, from: &kept, into: &gradient.convolutions[i])
        }
        return dy
    }

    mutating func visit(_ names: inout LayerNames, _ visitor: ParameterVisitor) {
        for i in convolutions.indices {
            convolutions[i].visit(names.next(), visitor)
            if activation != nil { names.skip() }
        }
    }
}
