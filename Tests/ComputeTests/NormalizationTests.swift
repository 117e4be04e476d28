import CKernels
import TestSupport
import Testing

@testable import Compute

struct NormalizationTests {
    /// Rows, channels.
    static let sizes = [[3, 1], [2, 7], [1, 16], [5, 33], [2, 64], [3, 130]]

    @Test(arguments: InstructionSet.supported, sizes)
    func rootMeanSquareAgreesWithDoublePrecision(set: InstructionSet, extents: [Int]) {
        let (rows, c) = (extents[0], extents[1])
        var values = TestValues(seed: 5)
        let (x, shortcut) = (values.tensor([rows, c]), values.tensor([rows, c]))
        let (weight, bias) = (values.tensor([c]), values.tensor([c]))
        let (input, residual, gain, offset) = (x.values, shortcut.values, weight.values, bias.values)
        let exact = (0..<rows * c).map { i in
            let row = input[i / c * c..<i / c * c + c].map(Double.init)
            let scale = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(c) + 1e-5).squareRoot()
            return max(0, Double(input[i]) * scale * Double(gain[i % c]) + Double(offset[i % c])) + Double(residual[i])
        }
        var y = input + [-7]
        set.kernels.rms_norm(input, rows, c, gain, offset, 1e-5, .REVQ_RELU, residual, &y)
        #expect(y.removeLast() == -7)
        #expect(relativeError(Tensor(y, shape: [rows, c]), exact) < 1e-6)
    }

    @Test(arguments: InstructionSet.supported, sizes)
    func scalesAndShifts(set: InstructionSet, extents: [Int]) {
        let (rows, c) = (extents[0], extents[1])
        var values = TestValues(seed: 6)
        let (input, residual) = (values.tensor([rows, c]).values, values.tensor([rows, c]).values)
        let (scale, shift) = (values.tensor([c]).values, values.tensor([c]).values)
        let exact = (0..<rows * c).map { Double(input[$0]) * Double(scale[$0 % c]) + Double(shift[$0 % c]) + Double(residual[$0]) }
        var y = input + [-7]
        set.kernels.scale_shift(input, rows, c, scale, shift, .REVQ_IDENTITY, residual, &y)
        #expect(y.removeLast() == -7)
        #expect(relativeError(Tensor(y, shape: [rows, c]), exact) < 1e-6)
    }
}
