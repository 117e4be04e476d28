import CKernels
import TestSupport
import Testing

@testable import Compute

struct ProjectionTests {
    /// Rows, outputs, inputs: full tiles, ragged edges, single rows and columns, sums longer than one block.
    static let sizes = [[28, 64, 256], [1, 1, 1], [13, 3, 5], [15, 33, 257], [29, 47, 600], [2, 17, 512], [225, 300, 31]]

    @Test(arguments: InstructionSet.supported, sizes)
    func agreesWithDoublePrecision(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 1)
        let (m, n, k) = (size[0], size[1], size[2])
        let (x, weight, bias) = (values.tensor([m, k]), values.tensor([n, k]), values.tensor([n]))
        for bias in [bias, nil] {
            let y = ComputeContext.with(\.instructionSet, set) { project(x, with: PackedMatrix(weight), bias: bias) }
            let exact = naiveConvolution(
                x.reshaped([1, m, 1, k]), weight.reshaped([n, k, 1, 1]), bias: bias, stride: 1)
            #expect(y.shape == [m, n])
            #expect(relativeError(y, exact) < 1e-6)
        }
    }

    /// Whatever a kernel makes of its factors, all 24 bits of either arrive: times a power of two, every number comes out as it was.
    @Test(arguments: InstructionSet.supported)
    func noBitOfAFactorIsLost(set: InstructionSet) {
        var values = TestValues(seed: 7)
        let size = 70
        let numbers = values.tensor([size, size])
        let scales = Tensor((0..<size * size).map { $0 % (size + 1) > 0 ? 0 : $0 % 2 == 0 ? 0.25 : -8 }, shape: [size, size])
        ComputeContext.with(\.instructionSet, set) {
            let (left, right) = (project(numbers, with: PackedMatrix(scales)), project(scales, with: PackedMatrix(numbers)))
            for (i, number) in numbers.values.enumerated() {
                let (row, column) = (i / size, i % size)
                #expect(left.values[i] == number * scales.values[column * size + column])
                // The matrix of weights is transposed.
                #expect(right.values[column * size + row] == number * scales.values[column * size + column])
            }
        }
    }

    /// More threads have the product cut into narrower pieces.
    @Test(arguments: InstructionSet.supported, [[64, 1024, 80], [300, 260, 48], [2, 33, 16]])
    func doesNotDependOnThreads(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 8)
        let (m, n, k) = (size[0], size[1], size[2])
        let (x, matrix, bias) = (values.tensor([m, k]), PackedMatrix(values.tensor([n, k])), values.tensor([n]))
        func result(threads: Int) -> [Float] {
            var context = ComputeContext.current
            (context.threads, context.instructionSet) = (threads, set)
            return context.run { project(x, with: matrix, bias: bias).values }
        }
        let alone = result(threads: 1)
        for threads in [2, 5, 16, 64] { #expect(result(threads: threads) == alone) }
    }

    @Test func manyThreadsHaveWork() {
        func pieces(threads: Int) -> Int {
            ComputeContext.with(\.threads, threads) { ProductPieces(rows: 64, columns: 1024).count }
        }
        #expect([1, 2, 4].map(pieces) == [4, 4, 4])
        #expect(pieces(threads: 8) == 16)
    }

    /// Not even where denormals count, as they do outside the ``Workers``.
    @Test(arguments: InstructionSet.supported)
    func tinyFactorsLeaveTheOthersAlone(set: InstructionSet) {
        // Its last bits are denormal.
        let tiny = Float(sign: .plus, exponent: -112, significand: 1 + .ulpOfOne)
        for (rows, k, place) in [(1, 20, 19), (33, 64, 16), (33, 64, 63)] {
            let ones = [Float](repeating: 1, count: rows * k)
            let mixed = (0..<rows * k).map { $0 % k == place ? tiny : 1 }
            for (a, b) in [(mixed, ones), (ones, mixed)] {
                let panels = WeightPanels(Tensor(b, shape: [rows, k]), n: rows, c: k, taps: 1)
                var c = [Float](repeating: -7, count: rows * rows)
                panels.withPointer(fromColumn: 0) { set.kernels.multiply(rows, rows, k, a, k, $0, &c, rows, nil, .REVQ_IDENTITY) }
                #expect(c == [Float](repeating: Float(k - 1), count: rows * rows))
            }
        }
    }

    @Test(arguments: InstructionSet.supported)
    func aRowDoesNotDependOnTheOthers(set: InstructionSet) {
        var values = TestValues(seed: 2)
        let (x, weight) = (values.tensor([37, 300]), PackedMatrix(values.tensor([70, 300])))
        ComputeContext.with(\.instructionSet, set) {
            let together = project(x, with: weight).values
            for row in 0..<37 {
                let alone = project(Tensor(Array(x.values[row * 300..<(row + 1) * 300]), shape: [1, 300]), with: weight).values
                #expect(alone == Array(together[row * 70..<(row + 1) * 70]))
            }
        }
    }

    @Test(arguments: InstructionSet.supported)
    func writesNothingBesideTheResult(set: InstructionSet) {
        var values = TestValues(seed: 3)
        let (m, n, k, stride) = (15, 35, 270, 41)
        let (a, panels) = (values.tensor([m, k]).values, WeightPanels(values.tensor([n, k]), n: n, c: k, taps: 1))
        var c = [Float](repeating: -7, count: m * stride)
        panels.withPointer(fromColumn: 0) {
            set.kernels.multiply(m, n, k, a, k, $0, &c, stride, nil, .REVQ_IDENTITY)
        }
        for row in 0..<m {
            #expect(c[row * stride..<row * stride + n].allSatisfy { $0 != -7 })
            #expect(c[row * stride + n..<(row + 1) * stride].allSatisfy { $0 == -7 })
        }
    }

    @Test(arguments: InstructionSet.supported)
    func appliesTheActivationToTheFinishedSum(set: InstructionSet) {
        var values = TestValues(seed: 4)
        let (m, n, k) = (16, 33, 300)
        let (a, bias) = (values.tensor([m, k]).values, values.tensor([n]).values)
        let panels = WeightPanels(values.tensor([n, k]), n: n, c: k, taps: 1)
        var results: [[Float]] = []
        for activation: revq_activation in [.REVQ_IDENTITY, .REVQ_RELU, .REVQ_SILU] {
            var c = [Float](repeating: 0, count: m * n)
            panels.withPointer(fromColumn: 0) { set.kernels.multiply(m, n, k, a, k, $0, &c, n, bias, activation) }
            results.append(c)
        }
        var silu = results[0]
        set.kernels.activate(silu, silu.count, .REVQ_SILU, &silu)
        #expect(results[1] == results[0].map { max($0, 0) })
        #expect(results[2] == silu)
    }
}
