import Compute
import Networks

/// Tells drawn pictures from photographs, patch by patch.
///
/// Its first convolutions are at full resolution, so that a grid woven into a picture cannot escape it. Each convolution's weights are
/// divided by their largest singular value, which keeps its judgement from growing without bound.
///
/// Sources: patch discriminators (arXiv 1611.07004), spectral normalisation (arXiv 1802.05957).
struct Discriminator: Parameterized {
    /// The last one answers one number for each patch.
    private var convolutions: [Conv2d]
    /// For each of them a guess at the left singular vector of its weights, bettered at every step.
    private var singular: [Tensor]

    /// Output channels and stride of each convolution but the last.
    private static let sizes = [(32, 1), (32, 1), (64, 2), (128, 2), (128, 2), (128, 1)]

    /// Numbers that a judgement holds for each pixel, of a photograph and of a drawn picture: what goes into each convolution and into the activation
    /// before it, and a gradient.
    static var floatsPerPixel: Double {
        var (positions, kept, largest) = (1.0, 3.0, 3.0)
        for (outputs, stride) in sizes {
            positions /= Double(stride * stride)
            kept += 2 * Double(outputs) * positions
            largest = max(largest, Double(outputs) * positions)
        }
        return 2 * kept + 3 * largest
    }

    init(_ initializer: inout Initializer) {
        (convolutions, singular) = ([], [])
        var channels = 3
        for (outputs, stride) in Self.sizes + [(1, 1)] {
            convolutions.append(Conv2d(channels, outputs, stride: stride, &initializer))
            singular.append(initializer.uniform([outputs], fanIn: outputs))
            channels = outputs
        }
    }

    /// - Parameter x: pictures in −1 … 1, `[n, h, w, 3]`.
    /// - Returns: `[n, ⌈h/8⌉, ⌈w/8⌉, 1]`, above 0 for what looks like a photograph.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = x
        for (index, convolution) in convolutions.enumerated() {
            if index > 0 { hidden = Activation.silu.forward(hidden, keeping: &kept) }
            hidden = convolution.forward(hidden, keeping: &kept)
        }
        return hidden
    }

    /// Adds the weights' share to `gradient`, of pictures that nobody changes.
    func addGradient(_ dy: consuming Tensor, from kept: inout Tape, to gradient: inout Discriminator) {
        var dhidden = dy
        for index in convolutions.indices.dropFirst().reversed() {
            dhidden = convolutions[index].backward(dhidden, from: &kept, into: &gradient.convolutions[index])
            dhidden = Activation.silu.backward(dhidden, from: &kept)
        }
        convolutions[0].addGradient(dhidden, from: &kept, to: &gradient.convolutions[0])
    }

    /// The gradient for the pictures, of weights that stay as they are.
    func inputGradient(_ dy: consuming Tensor, from kept: inout Tape) -> Tensor {
        var dhidden = dy
        for index in convolutions.indices.reversed() {
            dhidden = convolutions[index].inputGradient(dhidden, from: &kept)
            if index > 0 { dhidden = Activation.silu.backward(dhidden, from: &kept) }
        }
        return dhidden
    }

    mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        for index in convolutions.indices {
            convolutions[index].visit(path / "convolutions" / index, visitor)
            visitor(path / "singular" / index, .fixed, &singular[index])
        }
    }
}

extension Discriminator {
    /// A discriminator whose weights have been divided, and what their gradients need to know of that.
    struct Normalized {
        var network: Discriminator
        fileprivate var norms: [SpectralNorm]
    }

    /// Betters the singular vectors by one step of power iteration, and divides by the singular values.
    mutating func normalized() -> Normalized {
        var network = self
        var norms: [SpectralNorm] = []
        for index in convolutions.indices {
            let norm = SpectralNorm(convolutions[index].weight, left: singular[index])
            singular[index] = norm.left
            network.convolutions[index].weight.multiply(by: Float(1 / norm.value))
            norms.append(norm)
        }
        return Normalized(network: network, norms: norms)
    }
}

extension Discriminator.Normalized {
    /// The gradient for the undivided weights, given the one for the divided ones.
    func undivided(_ gradient: consuming Discriminator) -> Discriminator { gradient.undividing(norms) }
}

extension Discriminator {
    fileprivate consuming func undividing(_ norms: [SpectralNorm]) -> Discriminator {
        var gradient = self
        for (index, norm) in norms.enumerated() { norm.undivide(&gradient.convolutions[index].weight) }
        return gradient
    }
}
