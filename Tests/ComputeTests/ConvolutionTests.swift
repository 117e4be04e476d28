import CKernels
import TestSupport
import Testing

@testable import Compute
@testable import Pictures

struct ConvolutionTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let images, h, w, c, n, size, stride: Int

        var testDescription: String { "\(images)×\(h)×\(w)×\(c) → \(n), \(size)×\(size) stride \(stride)" }
    }

    /// Odd sizes, pictures smaller than the kernel, one channel, several bands, sums longer than one block.
    static let shapes = [
        Shape(images: 1, h: 8, w: 8, c: 32, n: 32, size: 3, stride: 1),
        Shape(images: 2, h: 5, w: 7, c: 3, n: 33, size: 3, stride: 1),
        Shape(images: 1, h: 1, w: 1, c: 5, n: 2, size: 3, stride: 1),
        Shape(images: 1, h: 1, w: 2, c: 4, n: 3, size: 5, stride: 1),
        Shape(images: 3, h: 7, w: 5, c: 30, n: 20, size: 3, stride: 2),
        Shape(images: 1, h: 6, w: 4, c: 16, n: 40, size: 5, stride: 2),
        Shape(images: 1, h: 9, w: 11, c: 65, n: 3, size: 3, stride: 1),
        Shape(images: 1, h: 17, w: 31, c: 4, n: 259, size: 3, stride: 1),
        Shape(images: 2, h: 4, w: 4, c: 6, n: 7, size: 1, stride: 2),
    ]

    @Test(arguments: InstructionSet.supported, shapes)
    func agreesWithDoublePrecision(set: InstructionSet, shape: Shape) {
        var values = TestValues(seed: 5)
        let x = values.tensor([shape.images, shape.h, shape.w, shape.c])
        let weight = values.tensor([shape.n, shape.c, shape.size, shape.size])
        for bias in [values.tensor([shape.n]), nil] {
            let y = ComputeContext.with(\.instructionSet, set) {
                convolve(x, with: PackedConvolution(weight), bias: bias, stride: shape.stride)
            }
            #expect(relativeError(y, naiveConvolution(x, weight, bias: bias, stride: shape.stride)) < 1e-6)
        }
    }

    @Test(arguments: InstructionSet.supported)
    func anImageDoesNotDependOnItsBatch(set: InstructionSet) {
        var values = TestValues(seed: 6)
        let images = (0..<3).map { _ in values.tensor([1, 20, 13, 48]) }
        let batch = Tensor(images.flatMap(\.values), shape: [3, 20, 13, 48])
        let weights = PackedConvolution(values.tensor([33, 48, 3, 3]))
        for algorithm in [ConvolutionAlgorithm.direct, .winograd] {
            let convolved = ComputeContext.with(\.instructionSet, set) {
                ComputeContext.with(\.algorithm, algorithm) {
                    (images + [batch]).map { convolve($0, with: weights).values }
                }
            }
            #expect(convolved[3] == convolved[0] + convolved[1] + convolved[2])
        }
    }

    @Test(arguments: InstructionSet.supported)
    func fillsOnlyTheAskedPixelsAndChannels(set: InstructionSet) {
        var values = TestValues(seed: 7)
        let (h, w, c, n, stride) = (6, 7, 9, 19, 23)
        let (x, weights) = (values.tensor([h, w, c]).values, PackedConvolution(values.tensor([n, c, 3, 3])))
        var y = [Float](repeating: -7, count: h * w * stride)
        weights.direct.withPointer(fromColumn: 0) {
            set.kernels.convolve(x, h, w, c, 3, 1, 5, 31, $0, n, &y, stride, nil, .REVQ_IDENTITY)
        }
        for (i, value) in y.enumerated() {
            let isAsked = 5..<31 ~= i / stride && i % stride < n
            #expect((value != -7) == isAsked)
        }
    }
}
