import Glibc
import TestSupport
import Testing

@testable import Compute

struct DepthwiseTests {
    /// Images, h, w, c, k: narrower than the kernel, wide enough for pixels formed together, ragged channels, common kernels and others.
    static let sizes = [
        [1, 8, 8, 32, 3], [2, 3, 11, 20, 5], [1, 1, 1, 2, 5], [1, 6, 2, 66, 3], [3, 5, 7, 6, 1], [1, 7, 13, 64, 5], [1, 9, 12, 34, 7],
    ]

    @Test(arguments: InstructionSet.supported, sizes)
    func agreesWithDoublePrecision(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 15)
        let (images, h, w, c, k) = (size[0], size[1], size[2], size[3], size[4])
        let (x, weight) = (values.tensor([images, h, w, c]), values.tensor([c, 1, k, k]))
        for bias in [values.tensor([c]), nil] {
            let exact = naiveConvolution(x, diagonal(weight), bias: bias, stride: 1)
            ComputeContext.with(\.instructionSet, set) {
                let plain = convolve(x, with: PackedDepthwise(weight), bias: bias)
                let gated = convolve(x, with: PackedDepthwise(weight), bias: bias, isGated: true)
                #expect(relativeError(plain, exact) < 1e-6)
                #expect(gated.shape == [images, h, w, c / 2])
                #expect(relativeError(gated, gate(exact, c)) < 2e-6)
            }
        }
    }

    @Test(arguments: InstructionSet.supported)
    func fillsOnlyTheAskedLines(set: InstructionSet) {
        var values = TestValues(seed: 16)
        let (h, w, c) = (4, 9, 19)
        let (x, taps) = (values.tensor([2, h, w, c]).values, values.tensor([3, 3, c]).values)
        var y = [Float](repeating: -7, count: 2 * h * w * c)
        set.kernels.convolve_depthwise(x, h, w, c, 3, taps, nil, false, 3, 6, &y)
        for (i, value) in y.enumerated() { #expect((value != -7) == (3..<6 ~= i / (w * c))) }
    }

    /// The same weights as an ordinary convolution: zero between different channels.
    private func diagonal(_ weight: Tensor) -> Tensor {
        let (c, taps) = (weight.shape[0], weight.shape[2] * weight.shape[3])
        let (from, k) = (weight.values, weight.shape[2])
        var values = [Float](repeating: 0, count: c * c * taps)
        for channel in 0..<c {
            for tap in 0..<taps { values[(channel * c + channel) * taps + tap] = from[channel * taps + tap] }
        }
        return Tensor(values, shape: [c, c, k, k])
    }

    private func gate(_ values: [Double], _ c: Int) -> [Double] {
        (0..<values.count / 2).map { i in
            let (pixel, channel) = i.quotientAndRemainder(dividingBy: c / 2)
            let gate = values[pixel * c + c / 2 + channel]
            return values[pixel * c + channel] * gate / (1 + exp(-gate))
        }
    }
}
