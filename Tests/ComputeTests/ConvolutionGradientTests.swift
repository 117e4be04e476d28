import CKernels
import TestSupport
import Testing

@testable import Compute

struct ConvolutionGradientTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let images, h, w, c, n, size, stride: Int

        var testDescription: String { "\(images)×\(h)×\(w)×\(c) → \(n), \(size)×\(size) stride \(stride)" }
    }

    /// Ragged tiles, pictures smaller than a tile or a kernel, several bands and groups of tiles, channels beyond a panel and beyond a piece.
    static let shapes = [
        Shape(images: 2, h: 8, w: 8, c: 32, n: 32, size: 3, stride: 1),
        Shape(images: 1, h: 1, w: 2, c: 16, n: 3, size: 3, stride: 1),
        Shape(images: 3, h: 9, w: 13, c: 48, n: 33, size: 3, stride: 1),
        Shape(images: 1, h: 6, w: 7, c: 144, n: 150, size: 3, stride: 1),
        Shape(images: 2, h: 101, w: 99, c: 16, n: 9, size: 3, stride: 1),
        Shape(images: 2, h: 7, w: 5, c: 3, n: 20, size: 3, stride: 2),
        Shape(images: 1, h: 2, w: 3, c: 33, n: 4, size: 7, stride: 1),
        Shape(images: 2, h: 5, w: 6, c: 32, n: 40, size: 3, stride: 2),
        Shape(images: 2, h: 3, w: 3, c: 40, n: 6, size: 1, stride: 1),
    ]

    @Test(arguments: InstructionSet.supported, shapes)
    func agreesWithDoublePrecision(set: InstructionSet, shape: Shape) {
        var values = TestValues(seed: 21)
        let x = values.tensor([shape.images, shape.h, shape.w, shape.c])
        let (ho, wo) = ((shape.h + shape.stride - 1) / shape.stride, (shape.w + shape.stride - 1) / shape.stride)
        let dy = values.tensor([shape.images, ho, wo, shape.n])
        let before = values.tensor([shape.n, shape.c, shape.size, shape.size])
        let exact = zip(before.values, naiveGradient(dy, x, shape)).map { Double($0) + $1 }
        for algorithm in [ConvolutionAlgorithm.direct, .winograd] {
            var gradient = before
            ComputeContext.with(\.instructionSet, set) {
                ComputeContext.with(\.algorithm, algorithm) { gradient.addConvolutionGradient(dy, at: x, stride: shape.stride) }
            }
            #expect(relativeError(gradient, exact) < 5e-6)
        }
    }

    @Test(arguments: InstructionSet.supported)
    func threadsDoNotChangeBits(set: InstructionSet) {
        var values = TestValues(seed: 22)
        let (x, dy) = (values.tensor([2, 100, 96, 32]), values.tensor([2, 100, 96, 24]))
        let found = [1, 3].map { threads in
            ComputeContext.with(\.instructionSet, set) {
                ComputeContext.with(\.threads, threads) {
                    var gradient = Tensor(zeros: [24, 32, 3, 3])
                    gradient.addConvolutionGradient(dy, at: x, stride: 1)
                    return gradient.values
                }
            }
        }
        #expect(found[0] == found[1])
    }

    @Test(arguments: InstructionSet.supported)
    func writesOnlyTheAskedChannels(set: InstructionSet) {
        var values = TestValues(seed: 23)
        let (h, w, c, n) = (6, 9, 48, 5)
        let (x, dy) = (values.tensor([h, w, c]).values, values.tensor([h, w, n]).values)
        var gradient = [Float](repeating: -7, count: n * 9 * c)
        let scratchCount = set.kernels.winograd_gradient_scratch(n, 16)
        var scratch = [Float](repeating: -7, count: scratchCount + 16)
        set.kernels.add_winograd_gradient(x, dy, h, w, c, n, 1, 5, 32, 48, &gradient, &scratch)
        #expect(scratch[scratchCount...].allSatisfy { $0 == -7 })
        for (i, value) in gradient.enumerated() { #expect((value != -7) == (i % c >= 32)) }
    }

    /// Σ dyᵀ · patches, `[out, in, k, k]`.
    private func naiveGradient(_ dy: Tensor, _ x: Tensor, _ shape: Shape) -> [Double] {
        let (size, c, n) = (shape.size, shape.c, shape.n)
        var sums = [Double](repeating: 0, count: n * c * size * size)
        let (pixels, dys) = (x.values.map(Double.init), dy.values.map(Double.init))
        for position in 0..<dy.rows {
            let (image, row, column) = (position / (dy.h * dy.w), position / dy.w % dy.h, position % dy.w)
            for tap in 0..<size * size {
                let (y, x_) = (row * shape.stride + tap / size - size / 2, column * shape.stride + tap % size - size / 2)
                guard 0..<x.h ~= y && 0..<x.w ~= x_ else { continue }
                let pixel = ((image * x.h + y) * x.w + x_) * c
                for o in 0..<n {
                    for i in 0..<c { sums[(o * c + i) * size * size + tap] += dys[position * n + o] * pixels[pixel + i] }
                }
            }
        }
        return sums
    }
}
