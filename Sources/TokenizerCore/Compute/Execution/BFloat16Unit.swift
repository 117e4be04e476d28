import CKernels

/// The parts of processors that multiply bf16 numbers and sum in fp32.
///
/// The faster one that is there is chosen when the process starts. Tests choose for the duration of a call:
///
///     BFloat16Unit.$current.withValue(.avx512) { tokenizer.encode(pixels) }
///
/// Operations read ``current`` once, on the thread that calls them, before they share their work with other threads.
package enum BFloat16Unit: UInt32, CaseIterable, Sendable {
    /// AVX512-BF16.
    case avx512
    /// AMX-BF16. The operating system must permit it too.
    case amx

    /// Those of this processor, the fastest last.
    package static let available = allCases.filter { $0.kernel != nil }

    /// Nil where there is none: ``Precision/obstacle`` says so to users.
    @TaskLocal package static var current = available.last

    var kernel: revq_bfloat16_convolve? { revq_bfloat16_kernel(revq_bfloat16_unit(rawValue: rawValue)!) }
}
