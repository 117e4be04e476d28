import Compute

/// Deterministic values in −1…1 for tests of kernels.
package struct TestValues {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
    }

    package mutating func tensor(_ shape: [Int]) -> Tensor {
        Tensor((0..<shape.reduce(1, *)).map { _ in next() }, shape: shape)
    }
}

/// ‖x − reference‖ / ‖reference‖
package func relativeError(_ x: Tensor, _ reference: [Double]) -> Double {
    let values = x.values
    precondition(values.count == reference.count, "\(values.count) values compared with \(reference.count)")
    let difference = zip(values, reference).reduce(0.0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    return (difference / reference.reduce(Double.leastNormalMagnitude) { $0 + $1 * $1 }).squareRoot()
}

/// `conv2d` with zero padding k/2 in double precision, one multiplication at a time.
package func naiveConvolution(_ x: Tensor, _ weight: Tensor, bias: Tensor?, stride: Int) -> [Double] {
    let (h, w, c) = (x.h, x.w, x.c)
    let (n, size) = (weight.shape[0], weight.shape[2])
    let (ho, wo) = ((h + stride - 1) / stride, (w + stride - 1) / stride)
    let (x, weight, bias) = (x.values, weight.values, bias?.values)
    let images = x.count / (h * w * c)
    var y: [Double] = []
    for image in 0..<images {
        for position in 0..<ho * wo {
            for out in 0..<n {
                var sum = Double(bias?[out] ?? 0)
                for ky in 0..<size {
                    for kx in 0..<size {
                        let row = position / wo * stride + ky - size / 2
                        let column = position % wo * stride + kx - size / 2
                        guard 0..<h ~= row, 0..<w ~= column else { continue }
                        for channel in 0..<c {
                            let input = x[((image * h + row) * w + column) * c + channel]
                            sum += Double(input) * Double(weight[((out * c + channel) * size + ky) * size + kx])
                        }
                    }
                }
                y.append(sum)
            }
        }
    }
    return y
}

extension InstructionSet {
    /// The arguments of tests that cover every instruction set this processor has.
    package static let supported = allCases.filter(\.isSupported)
}
