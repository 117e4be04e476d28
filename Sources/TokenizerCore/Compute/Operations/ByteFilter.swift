import CKernels

/// Sums of bytes times fixed-point weights, with which pictures are resized: integers, the same on every processor.
///
/// A weight of 1 is 2 to the power of ``fractionBits``; a sum is rounded to the nearest byte and brought into 0…255.
package struct ByteFilter: Sendable {
    package static let fractionBits = Int(REVQ_WEIGHT_FRACTION_BITS)

    private let kernels = ComputeContext.current.kernels

    package init() {}

    /// - Parameters:
    ///   - rows: `ring` rows of `rowBytes` bytes each; after the last comes the first.
    ///   - first: the row that the first weight is for.
    ///   - weights: one for each row of the sum, at most `ring`.
    ///   - result: `rowBytes` bytes.
    package func sum(
        _ rows: UnsafePointer<UInt8>, rowBytes: Int, ring: Int, first: Int, weights: UnsafeBufferPointer<Int32>,
        to result: UnsafeMutablePointer<UInt8>
    ) {
        kernels.sum_byte_rows(rows, rowBytes, ring, first, weights.baseAddress!, weights.count, result)
    }
}
