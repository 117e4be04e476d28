import Compute

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
