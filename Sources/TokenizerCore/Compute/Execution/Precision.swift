import CKernels

/// How exact the two factors of the large products are: convolutions over all channels and projections.
///
/// Whatever this is, sums are formed in fp32, and everything between the products (normalisation, attention, residuals) is fp32.
package enum Precision: String, CaseIterable, Sendable {
    /// 24 bits. On a processor with AMX a product of two such numbers is made from six products of their bf16 parts, which loses no more
    /// than rounding to fp32 does: see ``InstructionSet/x86_64_amx``.
    case float32 = "fp32"
    /// 8 bits: weights are rounded when they are packed, the other factor when a product reads it. Needs a processor with a
    /// ``BFloat16Unit``.
    case bfloat16 = "bf16"

    /// Why this processor cannot compute so, in one line; nil where it can.
    package var obstacle: String? {
        guard self != .float32, ComputeContext.current.bfloat16Unit == nil else { return nil }
        return "precision \(rawValue) needs a processor with AMX-BF16, AVX512-BF16 or AArch64's BF16, and this one has none; use fp32"
    }
}

extension Precision {
    /// Why fp32 is the better choice on this processor, in one line; nil where it is not.
    ///
    /// AVX512-BF16 multiplies twice as many numbers as fp32 vectors do, Winograd's algorithm in fp32 four times as few: f32c32-sana-1.1 took 886 and
    /// 1,257 ms in bf16 and 838 and 1,101 in fp32 on two cores of a Zen 4.
    package var drawback: String? {
        guard self != .float32, ComputeContext.current.bfloat16Unit == .avx512 else { return nil }
        return "precision \(rawValue) is slower than fp32 on this processor, which has AVX512-BF16 but no AMX-BF16; use fp32"
    }
}

/// The parts of processors that multiply bf16 numbers and sum in fp32.
///
/// The faster one that is there is chosen when the process starts. Tests choose for the duration of a call:
///
///     ComputeContext.with(\.bfloat16Unit, .avx512) { tokenizer.encode(pixels) }
package enum BFloat16Unit: UInt32, CaseIterable, Sendable {
    /// AVX512-BF16.
    case avx512
    /// AMX-BF16. The operating system must permit it too.
    case amx
    /// AArch64's BFDOT.
    case neon

    /// Those of this processor, the fastest last.
    package static let available = allCases.filter { $0.kernel != nil }

    var kernel: revq_bfloat16_convolve? { revq_bfloat16_kernel(revq_bfloat16_unit(rawValue: rawValue)!) }
}
