import CKernels

/// The instruction sets that the compute kernels exist for. Those of an architecture contain the ones before.
///
/// The best one is chosen when the process starts. Another one can be chosen for the duration of a call, which is how tests cover
/// the code of older processors:
///
///     ComputeContext.with(\.instructionSet, .plain) { tokenizer.encode(pixels) }
package enum InstructionSet: UInt32, CaseIterable, Sendable {
    /// Whatever every processor of the architecture has.
    case plain
    /// AVX2 and FMA.
    case x86_64_v3
    /// AVX-512 F, BW, CD, DQ and VL.
    case x86_64_v4
    /// The same and AMX-BF16, a matrix unit: each fp32 number of a large product is the exact sum of three bf16 ones there, and the sums
    /// are fp32. The operating system must permit its use too.
    case x86_64_amx
    /// The vectors of AArch64, all 32 of them.
    case aarch64_neon

    /// The most capable instruction set of this processor.
    package static let best = InstructionSet(rawValue: revq_best_instruction_set().rawValue)!

    package var isSupported: Bool { revq_kernels(revq_instruction_set(rawValue: rawValue)!) != nil }

    /// The kernels compiled for this instruction set.
    ///
    /// - Precondition: ``isSupported``.
    package var kernels: revq_kernel_table {
        guard let table = revq_kernels(revq_instruction_set(rawValue: rawValue)!) else {
            preconditionFailure("this processor does not have \(self)")
        }
        return table.pointee
    }
}
