import Compute

/// An affine map of the latents, the simplest correction there is: it shows how much of a network's gain is more than linear.
///
/// Nothing here is trained; ``LinearRectifierSolver`` finds the best map in closed form.
package struct LinearRectifier: Layer {
    /// What one output sees.
    package enum Reach: Sendable, Hashable, Codable {
        /// The channels of `size × size` positions around its own, zero beyond the edges.
        case neighbourhood(size: Int)
        /// All latents of the image.
        case image
    }

    package var map: Conv2d
    private let reach: Reach
    private let shape: LatentShape

    package init(_ reach: Reach, shape: LatentShape, _ initializer: inout Initializer) {
        (self.reach, self.shape) = (reach, shape)
        switch reach {
        case .neighbourhood(let size): map = Conv2d(shape.channels, shape.channels, kernel: size, &initializer)
        case .image: map = Conv2d(shape.count, shape.count, kernel: 1, &initializer)
        }
    }

    /// - Parameter q: `[n, h, w, c]`.
    package func forward(_ q: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        switch reach {
        case .neighbourhood: map.forward(q, keeping: &kept)
        case .image: latents(map.forward(row(q), keeping: &kept))
        }
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout LinearRectifier) -> Tensor {
        switch reach {
        case .neighbourhood: map.backward(dy, from: &kept, into: &gradient.map)
        case .image: latents(map.backward(row(dy), from: &kept, into: &gradient.map))
        }
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        map.visit(path / "map", visitor)
    }

    /// An image's latents as the channels of one position.
    private func row(_ x: Tensor) -> Tensor {
        Latents(x).rows.reshaped([x.n, 1, 1, shape.count])
    }

    private func latents(_ row: Tensor) -> Tensor {
        Latents(rows: row.reshaped([row.n, shape.count]), shape: shape).map
    }
}
