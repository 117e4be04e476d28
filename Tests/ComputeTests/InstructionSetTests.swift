import CKernels
import Glibc
import Testing

@testable import Compute

struct InstructionSetTests {
    @Test func bestIsSupportedAndPlainAlwaysIs() {
        #expect(InstructionSet.best.isSupported)
        #expect(InstructionSet.plain.isSupported)
        #expect(ComputeContext.current.instructionSet == InstructionSet.best)
    }

    @Test(arguments: InstructionSet.supported)
    func addsWithoutTouchingWhatFollows(set: InstructionSet) {
        for count in 0..<40 {
            let x = (0..<count).map { Float($0) }
            var y = x + [-7]
            set.kernels.add(&y, x, count)
            let doubled: [Float] = x.map { $0 * 2 } + [-7]
            #expect(y == doubled)
        }
    }

    @Test(arguments: InstructionSet.supported)
    func siluAgreesWithDoublePrecision(set: InstructionSet) {
        let inputs = Array(stride(from: Float(-100), through: 100, by: 0.37)) + [0, -0.0001, 0.0001]
        var outputs = inputs + [-7]
        set.kernels.activate(inputs, inputs.count, .REVQ_SILU, &outputs)
        #expect(outputs.last == -7)
        for (x, y) in zip(inputs, outputs) where x > -87 {
            let exact = Double(x) / (1 + exp(-Double(x)))
            #expect(abs(Double(y) - exact) <= 1e-6 * abs(exact))
        }
    }
}
