import Files

/// Named tensors in a file, or in several, that a layer can be loaded from.
package protocol TensorSource {
    /// Where they are, for messages.
    var path: String { get }
    /// The names of all tensors.
    var names: Set<String> { get }
    /// The tensor of that name as 32-bit floats.
    /// - Throws: when there is no such tensor, or it does not hold floats.
    func tensor(_ name: String) throws(FileError) -> Tensor
}

extension TensorSource {
    /// The tensor of that name, which must have this shape and hold finite numbers only.
    package func tensor(_ name: String, shape: [Int]) throws(FileError) -> Tensor {
        let tensor = try tensor(name)
        guard tensor.shape == shape else {
            throw FileError(path, "tensor \(name) has shape \(tensor.shape), the configuration needs \(shape)")
        }
        guard tensor.isFinite else { throw FileError(path, "tensor \(name) holds NaN or infinite values") }
        tensor.releasePages()
        return tensor
    }
}

extension SafetensorsFile: TensorSource {
    /// The tensor as 32-bit floats: a view of the file's contents where it holds aligned 32-bit floats, a converted copy otherwise.
    /// - Throws: when there is no such tensor, or it holds integers.
    package func tensor(_ name: String) throws(FileError) -> Tensor {
        let entry = try entry(name)
        guard let format = entry.type.format else {
            throw FileError(path, "tensor \(name) holds integers (\(entry.type.rawValue)), floats were expected")
        }
        return withBytes(of: entry) { bytes in
            let isAligned = Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0
            guard format == .float32 && isAligned else { return Self.converted(bytes, format, entry.shape) }
            let base = bytes.baseAddress!.assumingMemoryBound(to: Float.self)
            return Tensor(borrowing: base, shape: entry.shape, owner: contents, isMapped: contents.isMapped)
        }
    }

    private static func converted(_ bytes: UnsafeRawBufferPointer, _ format: FloatFormat, _ shape: [Int]) -> Tensor {
        var tensor = Tensor(uninitialized: shape, isLasting: true)
        let count = tensor.count
        tensor.withMutablePointer { format.read(bytes, count: count, into: $0) }
        return tensor
    }
}

extension SafetensorsWriter {
    /// Writes `tensors` in the given order and waits until the disk has them.
    /// - Throws: when the disk is full or fails, or a finite number is too large for the precision; then nothing is left of the file.
    package static func write(
        _ tensors: [(name: String, tensor: Tensor)], precision: Precision = .float32, to path: String
    ) throws(FileError) {
        let items = tensors.map { name, tensor in
            Item(name: name, shape: tensor.shape) { range in
                tensor.withPointer { Array(UnsafeBufferPointer(start: $0 + range.lowerBound, count: range.count)) }
            }
        }
        try write(items, precision: precision, to: path)
    }
}
