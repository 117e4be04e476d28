import CKernels
import TestSupport
import Testing

@testable import Compute
@testable import Pictures

@Suite(.serialized) struct BFloat16Tests {
    typealias Shape = ConvolutionTests.Shape

    /// Beside the shapes of ``ConvolutionTests``: several bands and ranges of channels, lines that a stride divides or not, results
    /// that are stored around the caches.
    static let shapes =
        ConvolutionTests.shapes + [
            Shape(images: 1, h: 40, w: 33, c: 64, n: 100, size: 3, stride: 1),
            Shape(images: 1, h: 13, w: 11, c: 40, n: 64, size: 3, stride: 2),
            Shape(images: 2, h: 13, w: 11, c: 17, n: 20, size: 5, stride: 3),
            Shape(images: 1, h: 3, w: 3, c: 8, n: 8, size: 7, stride: 1),
            Shape(images: 1, h: 96, w: 97, c: 5, n: 32, size: 3, stride: 1),
        ]

    /// To the nearest number with 8 bits, ties to even.
    private func rounded(_ x: Tensor) -> Tensor {
        let values = x.values.map { value -> Float in
            let kept = Float(bitPattern: value.bitPattern & 0xffff_0000)
            let next = Float(bitPattern: (value.bitPattern & 0xffff_0000) &+ 0x1_0000)
            let (down, up) = (abs(value - kept), abs(next - value))
            let isEven = kept.bitPattern & 0x1_0000 == 0
            return down < up || (down == up && isEven) ? kept : next
        }
        return Tensor(values, shape: x.shape)
    }

    private func absolute(_ x: Tensor) -> Tensor { Tensor(x.values.map { abs($0) }, shape: x.shape) }

    /// Rounding to 8 bits changes a number x by at most u·|x| with u = 2⁻⁸. A sum of products of rounded factors is therefore at most
    /// (2u + u²) · Σ|x|·|w| away from the exact one; adding up K products and a bias in fp32 changes it by at most 2K · 2⁻²⁴ of that.
    private func bound(_ magnitude: Double, products: Int) -> Double {
        let u = 0x1p-8
        return (2 * u + u * u + Double(2 * products) * 0x1p-24) * magnitude + 1e-30
    }

    @Test(arguments: BFloat16Unit.available, shapes)
    func convolvesTheRoundedFactorsInSinglePrecision(unit: BFloat16Unit, shape: Shape) {
        var values = TestValues(seed: 31)
        let x = values.tensor([shape.images, shape.h, shape.w, shape.c])
        let weight = values.tensor([shape.n, shape.c, shape.size, shape.size])
        for bias in [values.tensor([shape.n]), nil] {
            let y = ComputeContext.with(\.bfloat16Unit, unit) {
                convolve(x, with: PackedConvolution(weight, precision: .bfloat16), bias: bias, stride: shape.stride)
            }
            let reference = naiveConvolution(rounded(x), rounded(weight), bias: bias, stride: shape.stride)
            #expect(relativeError(y, reference) < 1e-6)
        }
    }

    @Test(arguments: BFloat16Unit.available, shapes)
    func staysWithinTheBoundOfRounding(unit: BFloat16Unit, shape: Shape) {
        var values = TestValues(seed: 32)
        let x = values.tensor([shape.images, shape.h, shape.w, shape.c])
        let weight = values.tensor([shape.n, shape.c, shape.size, shape.size])
        let bias = values.tensor([shape.n])
        let y = ComputeContext.with(\.bfloat16Unit, unit) {
            convolve(x, with: PackedConvolution(weight, precision: .bfloat16), bias: bias, stride: shape.stride).values
        }
        let exact = naiveConvolution(x, weight, bias: bias, stride: shape.stride)
        let magnitude = naiveConvolution(absolute(x), absolute(weight), bias: absolute(bias), stride: shape.stride)
        let products = shape.c * shape.size * shape.size
        for i in y.indices { #expect(abs(Double(y[i]) - exact[i]) <= bound(magnitude[i], products: products)) }
    }

    @Test(arguments: BFloat16Unit.available, [(1, 1, 3, 2), (5, 7, 35, 20), (8, 8, 32, 48), (20, 17, 64, 33)])
    func enlargesWithinTheBoundOfRounding(unit: BFloat16Unit, shape: (h: Int, w: Int, c: Int, n: Int)) {
        var values = TestValues(seed: 33)
        let (x, weight) = (values.tensor([2, shape.h, shape.w, shape.c]), values.tensor([shape.n, shape.c, 3, 3]))
        let bias = values.tensor([shape.n])
        let y = ComputeContext.with(\.bfloat16Unit, unit) {
            enlargeAndConvolve(x, with: PackedConvolution(weight, precision: .bfloat16), bias: bias).values
        }
        let exact = naiveConvolution(NearestUpsampling.forward(x), weight, bias: bias, stride: 1)
        let magnitude = naiveConvolution(NearestUpsampling.forward(absolute(x)), absolute(weight), bias: absolute(bias), stride: 1)
        #expect(y.count == exact.count)
        for i in y.indices { #expect(abs(Double(y[i]) - exact[i]) <= bound(magnitude[i], products: 9 * shape.c)) }
    }

    @Test(arguments: BFloat16Unit.available, [(1, 5, 3), (37, 300, 70), (300, 32, 600), (17, 1000, 33)])
    func projectsTheRoundedFactors(unit: BFloat16Unit, shape: (rows: Int, k: Int, n: Int)) {
        var values = TestValues(seed: 34)
        let (x, weight) = (values.tensor([shape.rows, shape.k]), values.tensor([shape.n, shape.k]))
        let bias = values.tensor([shape.n])
        let packed = PackedMatrix(weight, precision: .bfloat16)
        ComputeContext.with(\.bfloat16Unit, unit) {
            let y = project(x, with: packed, bias: bias)
            let picture = rounded(x).reshaped([1, shape.rows, 1, shape.k])
            let kernel = rounded(weight).reshaped([shape.n, shape.k, 1, 1])
            #expect(relativeError(y, naiveConvolution(picture, kernel, bias: bias, stride: 1)) < 1e-6)
            let zero = Tensor(zeros: [0, shape.k])
            #expect(project(zero, with: packed).shape == [0, shape.n])
            var silu = y.values
            InstructionSet.best.kernels.activate(silu, silu.count, .REVQ_SILU, &silu)
            #expect(project(x, with: packed, bias: bias, activation: .silu).values == silu)
            #expect(project(x, with: packed, bias: bias, activation: .relu).values == y.values.map { max($0, 0) })
        }
    }

    @Test(arguments: BFloat16Unit.available)
    func anImageDependsNeitherOnItsBatchNorOnThreads(unit: BFloat16Unit) {
        var values = TestValues(seed: 35)
        let images = (0..<3).map { _ in values.tensor([1, 20, 13, 48]) }
        let batch = Tensor(images.flatMap(\.values), shape: [3, 20, 13, 48])
        let weights = PackedConvolution(values.tensor([65, 48, 3, 3]), precision: .bfloat16)
        let matrix = PackedMatrix(values.tensor([65, 48]), precision: .bfloat16)
        let operations: [(Tensor) -> [Float]] = [
            { convolve($0, with: weights).values }, { convolve($0, with: weights, stride: 2).values },
            { enlargeAndConvolve($0, with: weights).values }, { project($0, with: matrix).values },
        ]
        ComputeContext.with(\.bfloat16Unit, unit) {
            for operation in operations {
                let alone = ComputeContext.with(\.threads, 1) { images.map(operation) }
                for threads in [1, 2, 5] {
                    #expect(ComputeContext.with(\.threads, threads) { operation(batch) } == alone.flatMap { $0 })
                }
            }
        }
    }

    @Test(arguments: BFloat16Unit.available)
    func fillsOnlyTheAskedLinesAndChannels(unit: BFloat16Unit) throws {
        var values = TestValues(seed: 36)
        let kernel = try #require(unit.kernel)
        for (isEnlarging, scale) in [(false, 1), (true, 2)] {
            let (h, w, c, n, guards) = (6, 7, 9, 67, 64)
            let weights = BFloat16Weights(values.tensor([n, c, 3, 3]), n: n, c: c, size: 3, enlarging: isEnlarging)
            var picture = revq_bfloat16_picture(h: h, w: w, c: c, size: 3, stride: 1, is_enlarging: isEnlarging)
            let bytes = revq_bfloat16_scratch(&picture, 2)
            var scratch = Tensor(repeating: .nan, shape: [bytes / 4 + guards])
            var y = [Float](repeating: -7, count: scale * h * scale * w * n)
            let x = values.tensor([h, w, c]).values
            withPointers(writing: &scratch, reading: weights) { scratch, weights in
                kernel(&picture, x, 2, 4, weights, n, 32, n, &y, nil, .REVQ_IDENTITY, scratch)
            }
            #expect(scratch.values.suffix(guards - 1).allSatisfy { $0.isNaN })
            for (i, value) in y.enumerated() {
                let isAsked = 2 * scale..<4 * scale ~= i / (n * w * scale) && i % n >= 32
                #expect((value != -7) == isAsked)
            }
        }
    }

    @Test func aProcessorWithoutAUnitIsToldSoInOneLine() {
        ComputeContext.with(\.bfloat16Unit, nil) {
            let obstacle = Precision.bfloat16.obstacle
            #expect(obstacle?.contains("AVX512-BF16") == true && obstacle?.contains("\n") == false)
            #expect(Precision.float32.obstacle == nil)
        }
        for unit in BFloat16Unit.available {
            ComputeContext.with(\.bfloat16Unit, unit) { #expect(Precision.bfloat16.obstacle == nil) }
        }
    }
}
