import Compute
import Files
import Foundation
import Testing

/// Reference values from PyTorch and diffusers; `make_fixture.py` beside them made them.
package enum Fixture {
    package static func path(_ name: String) -> String {
        Bundle.module.resourcePath! + "/Fixtures/" + name
    }

    package static func array(_ name: String) throws -> NumPyArray {
        try NumPyArray(parsing: Array(Data(contentsOf: URL(fileURLWithPath: path(name)))))
    }

    /// A float array under its own shape.
    package static func tensor(_ name: String) throws -> Tensor {
        let array = try array(name)
        return Tensor(try #require(array.floats), shape: array.shape)
    }

    /// An `[n, c, h, w]` float array as the `[n, h, w, c]` tensor that layers take.
    package static func featureMap(_ name: String) throws -> Tensor {
        try tensor(name).channelsLast
    }

    /// An `[n, 3, h, w]` byte array as pixels in −1 … 1.
    package static func pixels(_ name: String) throws -> Tensor {
        let array = try array(name)
        let values = try #require(array.integers).map { Float($0) / 127.5 - 1 }
        return Tensor(values, shape: array.shape).channelsLast
    }
}

extension Tensor {
    /// `[n, c, h, w]` → `[n, h, w, c]`.
    package var channelsLast: Tensor {
        swappingInnerAxes(outer: shape[0], shape[1], shape[2] * shape[3]).reshaped([shape[0], shape[2], shape[3], shape[1]])
    }

    /// ‖a − b‖ / ‖b‖ over all elements, in double precision.
    package func relativeError(to reference: Tensor) -> Double {
        precondition(shape == reference.shape, "\(shape) is compared with \(reference.shape)")
        var (difference, norm) = (0.0, 0.0)
        for (a, b) in zip(values, reference.values) {
            difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
            norm += Double(b) * Double(b)
        }
        return (difference / max(norm, 1e-60)).squareRoot()
    }
}
