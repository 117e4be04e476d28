import CKernels
import TestSupport
import Testing

@testable import Compute

struct WinogradTests {
    /// Images, h, w, c, n: whole and ragged tiles, pictures smaller than a tile, several bands, channels of several chunks and
    /// sums longer than one block.
    static let sizes = [
        [1, 8, 8, 32, 32], [2, 5, 7, 16, 33], [1, 1, 1, 16, 3], [1, 2, 13, 48, 130], [1, 21, 22, 32, 260], [1, 9, 6, 272, 8],
    ]

    @Test(arguments: InstructionSet.supported, sizes)
    func agreesWithDoublePrecision(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 11)
        let (images, h, w, c, n) = (size[0], size[1], size[2], size[3], size[4])
        let (x, weight) = (values.tensor([images, h, w, c]), values.tensor([n, c, 3, 3]))
        for (bias, stride) in [(values.tensor([n]), 1), (nil, 1), (values.tensor([n]), 2)] {
            let y = ComputeContext.with(\.instructionSet, set) {
                ComputeContext.with(\.algorithm, .winograd) {
                    convolve(x, with: PackedConvolution(weight), bias: bias, stride: stride)
                }
            }
            #expect(relativeError(y, naiveConvolution(x, weight, bias: bias, stride: stride)) < 5e-6)
        }
    }

    /// Four kernels that overlap no borders, or all of them; a channel count that is no power of two.
    @Test(arguments: InstructionSet.supported, [[2, 9, 14, 32, 33], [1, 1, 2, 64, 3], [3, 5, 4, 96, 140]])
    func fiveByFiveAgreesWithDoublePrecision(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 17)
        let (x, weight) = (values.tensor([size[0], size[1], size[2], size[3]]), values.tensor([size[4], size[3], 5, 5]))
        let bias = values.tensor([size[4]])
        let y = ComputeContext.with(\.instructionSet, set) {
            ComputeContext.with(\.algorithm, .winograd) { convolve(x, with: PackedConvolution(weight), bias: bias) }
        }
        #expect(relativeError(y, naiveConvolution(x, weight, bias: bias, stride: 1)) < 5e-6)
    }

    @Test(arguments: InstructionSet.supported)
    func writesOnlyTheAskedTilesAndChannels(set: InstructionSet) {
        var values = TestValues(seed: 12)
        let (h, w, c, n) = (10, 9, 16, 140)
        let (x, weights) = (values.tensor([h, w, c]).values, PackedConvolution(values.tensor([n, c, 3, 3])))
        var y = [Float](repeating: -7, count: h * w * n)
        let scratchCount = set.kernels.winograd_scratch(.REVQ_PLAIN_PICTURE, c, 4)
        var scratch = [Float](repeating: -7, count: scratchCount + 16)
        weights.winograd(.REVQ_PLAIN_PICTURE, isKept: true).withPointer {
            set.kernels.convolve_winograd(
                .REVQ_PLAIN_PICTURE, x, h, w, c, 1, 5, $0, n, 128, n, &y, nil, .REVQ_IDENTITY, &scratch)
        }
        #expect(scratch[scratchCount...].allSatisfy { $0 == -7 })
        for (i, value) in y.enumerated() {
            let tile = i / n / w / 4 * 3 + i / n % w / 4
            #expect((value != -7) == (1..<5 ~= tile && i % n >= 128))
        }
    }

    @Test(arguments: InstructionSet.supported, sizes)
    func enlargingAgreesWithDoublePrecision(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 13)
        let (images, h, w, c, n) = (size[0], size[1], size[2], size[3], size[4])
        let (x, weight, bias) = (values.tensor([images, h, w, c]), values.tensor([n, c, 3, 3]), values.tensor([n]))
        let exact = naiveConvolution(NearestUpsampling.forward(x), weight, bias: bias, stride: 1)
        for algorithm in [ConvolutionAlgorithm.direct, .winograd] {
            let y = ComputeContext.with(\.instructionSet, set) {
                ComputeContext.with(\.algorithm, algorithm) {
                    enlargeAndConvolve(x, with: PackedConvolution(weight), bias: bias)
                }
            }
            #expect(y.shape == [images, 2 * h, 2 * w, n])
            #expect(relativeError(y, exact) < 5e-6)
        }
    }

    @Test(arguments: InstructionSet.supported, [ConvolutionAlgorithm.direct, .winograd])
    func appliesTheActivationToTheFinishedSum(set: InstructionSet, algorithm: ConvolutionAlgorithm) {
        var values = TestValues(seed: 14)
        let (x, weights) = (values.tensor([1, 6, 5, 16]), PackedConvolution(values.tensor([40, 16, 3, 3])))
        let bias = values.tensor([40])
        let results = ComputeContext.with(\.instructionSet, set) {
            ComputeContext.with(\.algorithm, algorithm) {
                [nil, .relu, .silu].map { convolve(x, with: weights, bias: bias, activation: $0).values }
            }
        }
        var silu = results[0]
        set.kernels.activate(silu, silu.count, .REVQ_SILU, &silu)
        #expect(results[1] == results[0].map { max($0, 0) })
        #expect(results[2] == silu)
    }

    /// More threads have the work cut finer: two strips a band, one, and fewer channels. Small pictures share bands.
    @Test(arguments: InstructionSet.supported, [[1, 64, 64, 16, 260], [1, 17, 23, 32, 520], [3, 9, 6, 16, 40], [5, 16, 16, 16, 300]])
    func doesNotDependOnThreads(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 15)
        let (x, n) = (values.tensor([size[0], size[1], size[2], size[3]]), size[4])
        let (weights, bias) = (PackedConvolution(values.tensor([n, size[3], 3, 3])), values.tensor([n]))
        func results(threads: Int) -> [[Float]] {
            var context = ComputeContext.current
            (context.threads, context.instructionSet, context.algorithm) = (threads, set, .winograd)
            return context.run {
                [1, 2].map { convolve(x, with: weights, bias: bias, stride: $0).values } + [enlargeAndConvolve(x, with: weights, bias: bias).values]
            }
        }
        let alone = results(threads: 1)
        for threads in [2, 5, 8, 16, 64] { #expect(results(threads: threads) == alone) }
    }

    /// Many channels' kernels that are made anew for every large picture are those that stay for small ones.
    @Test func manyKernelsStayForSmallPicturesOnly() {
        var values = TestValues(seed: 18)
        let (small, large) = (values.tensor([1, 16, 16, 256]), values.tensor([1, 125, 127, 256]))
        let weight = values.tensor([512, 256, 3, 3])
        let (weights, others) = (PackedConvolution(weight), PackedConvolution(weight))
        func areKept() -> Bool {
            let pair = (0..<2).map { _ in weights.winograd(.REVQ_PLAIN_PICTURE, isKept: false) }
            return withExtendedLifetime(pair) { pair[0].withPointer { $0 } == pair[1].withPointer { $0 } }
        }
        ComputeContext.with(\.algorithm, .winograd) {
            let first = convolve(large, with: weights)
            #expect(!areKept())
            _ = convolve(small, with: others)
            #expect(convolve(large, with: others).values == first.values)
            _ = convolve(small, with: weights)
            #expect(areKept())
        }
    }

    @Test func manyThreadsHaveWork() {
        func pieces(threads: Int, side: Int, _ kind: revq_winograd = .REVQ_PLAIN_PICTURE) -> Int {
            ComputeContext.with(\.threads, threads) { WinogradPieces(kind, images: 1, h: side, w: side, columns: 512).count }
        }
        for kind in [revq_winograd.REVQ_PLAIN_PICTURE, .REVQ_ENLARGING, .REVQ_HALVING] {
            #expect(pieces(threads: 2, side: 64, kind) == pieces(threads: 1, side: 64, kind))
            #expect(pieces(threads: 16, side: 64, kind) >= 32)
        }
        // A matrix unit's strips hold half of the picture.
        #expect(pieces(threads: 8, side: 32) >= 8)
    }

    @Test(arguments: InstructionSet.supported)
    func isChosenByLayerAndImageSize(set: InstructionSet) {
        /// For a square result of the given side.
        func chosen(_ c: Int, _ size: Int, stride: Int, _ side: Int, inBatches: Bool = false) -> ConvolutionAlgorithm {
            ComputeContext.with(\.instructionSet, set) {
                let weights = PackedConvolution(Tensor(zeros: [1, c, size, size]), servesBatches: inBatches)
                return .chosen(for: weights, stride: stride, h: side, w: side)
            }
        }
        #expect(chosen(32, 3, stride: 1, 64) == .winograd)
        #expect(chosen(32, 3, stride: 1, 8) == .direct)
        #expect(chosen(32, 3, stride: 1, 16) == (set == .x86_64_amx ? .direct : .winograd))
        #expect(chosen(32, 3, stride: 2, 64) == .winograd)
        #expect(chosen(16_384, 3, stride: 2, 64) == (set == .x86_64_amx ? .direct : .winograd))
        #expect(chosen(32, 3, stride: 3, 64) == .direct)
        #expect(chosen(32, 3, stride: 1, 16, inBatches: true) == .winograd)
        #expect(chosen(32, 3, stride: 1, 8, inBatches: true) == .direct)
        #expect(chosen(32, 5, stride: 1, 64) == .winograd)
        #expect(chosen(32, 5, stride: 2, 64) == .direct)
        #expect(chosen(48, 5, stride: 1, 64) == .direct)
        #expect(chosen(32, 7, stride: 1, 64) == .direct)
        #expect(chosen(3, 3, stride: 1, 64) == .direct)
    }
}
