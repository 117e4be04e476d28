/// How a file stores numbers that are read as 32-bit floats, little-endian.
package enum FloatFormat: Sendable {
    case float16, bfloat16, float32, float64

    /// Bytes of one number.
    package var bytes: Int {
        switch self {
        case .float16, .bfloat16: 2
        case .float32: 4
        case .float64: 8
        }
    }

    /// Number `index` of those in `source`.
    package func value(in source: UnsafeRawBufferPointer, at index: Int) -> Float {
        switch self {
        case .float16: Float(source.loadUnaligned(fromByteOffset: 2 * index, as: Float16.self))
        case .bfloat16: Float(bitPattern: UInt32(source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)) << 16)
        case .float32: source.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
        case .float64: Float(source.loadUnaligned(fromByteOffset: 8 * index, as: Double.self))
        }
    }

    /// Numbers `first ..< first + count` of those in `source`, one after the other into `target`.
    package func read(_ source: UnsafeRawBufferPointer, from first: Int = 0, count: Int, into target: UnsafeMutablePointer<Float>) {
        for i in 0..<count { target[i] = value(in: source, at: first + i) }
    }
}
