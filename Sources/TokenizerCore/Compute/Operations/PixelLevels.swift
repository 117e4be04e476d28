import CKernels

/// The levels of a picture, between bytes and the numbers that networks take.
package enum PixelLevels {
    /// - Parameters:
    ///   - bytes: levels, 0…255.
    ///   - target: receives as many numbers, byte / 127.5 − 1 in fp32.
    package static func centre(_ bytes: [UInt8], into target: UnsafeMutablePointer<Float>) {
        ComputeContext.current.kernels.centre_bytes(bytes, bytes.count, target)
    }
}
