import Compute

/// A differentiable part of a network. Its gradient has its own type: the same structure holding dL/d(parameter).
package protocol Layer: Parameterized {
    /// - Parameter kept: receives what ``backward(_:from:into:)`` will need.
    func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor

    /// The gradient of the loss for the input, given the one for the output; adds the parameters' share to `gradient`.
    ///
    /// - Parameter kept: the stack that `forward` left; what this layer kept is removed.
    func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Self) -> Tensor
}

extension Layer {
    package func callAsFunction(_ x: consuming Tensor) -> Tensor {
        var kept = Tape.forgetting
        return forward(x, keeping: &kept)
    }
}

/// A layer whose type is only known when a configuration has been read.
package struct AnyLayer: Layer {
    /// Nil only while it is visited or its gradient formed.
    private var taken: (any Layer)?

    package init(_ layer: some Layer) {
        taken = layer
    }

    /// What is inside.
    package var layer: any Layer { taken! }

    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        layer.forward(x, keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout AnyLayer) -> Tensor {
        Self.backward(through: layer, dy, from: &kept, into: &gradient)
    }

    private static func backward<Inner: Layer>(
        through layer: Inner, _ dy: consuming Tensor, from kept: inout Tape, into gradient: inout AnyLayer
    ) -> Tensor {
        guard var part = gradient.taken as? Inner else { preconditionFailure("a gradient has the kind of its layer") }
        // Taken out meanwhile, so that its tensors stay uniquely held and are added to in place.
        gradient.taken = nil
        let dx = layer.backward(dy, from: &kept, into: &part)
        gradient.taken = part
        return dx
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        // Taken out for the same reason.
        var layer = self.layer
        taken = nil
        layer.visit(path, visitor)
        taken = layer
    }
}

/// Layers of one kind, one after the other.
package struct LayerStack<Element: Layer>: Layer {
    private var layers: [Element] = []

    /// - Parameter element: makes the layer of that number, the first one first.
    init(_ count: Int, _ initializer: inout Initializer, _ element: (Int, inout Initializer) -> Element) {
        layers.reserveCapacity(count)
        for i in 0..<count { layers.append(element(i, &initializer)) }
    }

    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        var hidden = x
        for layer in layers { hidden = layer.forward(hidden, keeping: &kept) }
        return hidden
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout LayerStack) -> Tensor {
        var dhidden = dy
        for i in layers.indices.reversed() { dhidden = layers[i].backward(dhidden, from: &kept, into: &gradient.layers[i]) }
        return dhidden
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        for i in layers.indices { layers[i].visit(path / i, visitor) }
    }
}
