/// Writes tensors in the safetensors format.
package enum SafetensorsWriter {
    /// A tensor to write.
    package struct Item {
        let name: String
        let shape: [Int]
        /// A part of the row-major numbers.
        let values: (Range<Int>) -> [Float]

        package init(name: String, shape: [Int], values: @escaping (Range<Int>) -> [Float]) {
            (self.name, self.shape, self.values) = (name, shape, values)
        }

        var count: Int { shape.reduce(1, *) }
    }

    /// How numbers are stored.
    package enum Precision: String, Codable, Sendable {
        case float32 = "F32"
        case float16 = "F16"

        var bytes: Int { self == .float32 ? 4 : 2 }
    }

    /// Writes `items` in the given order and waits until the disk has them.
    ///
    /// The header is padded so that every 32-bit tensor is aligned and can be mapped without a copy.
    /// - Throws: when the disk is full or fails, or a finite number is too large for the precision; then nothing is left of the file.
    package static func write(
        _ items: [Item], precision: Precision = .float32, to path: String
    ) throws(FileError) {
        var members: [String] = []
        var end = 0
        for item in items {
            let start = end
            end += item.count * precision.bytes
            let shape = item.shape.map(String.init).joined(separator: ",")
            members.append("\"\(item.name)\":{\"dtype\":\"\(precision.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(start),\(end)]}")
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        while header.count % 64 != 56 { header.append(UInt8(ascii: " ")) }
        header = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header

        let draft = try FileDraft(for: path)
        try draft.append(header)
        for item in items {
            // A piece at a time, so that a large model is never in memory twice.
            for start in stride(from: 0, to: item.count, by: pieceCount) {
                let values = item.values(start..<min(start + pieceCount, item.count))
                switch precision {
                // Numbers lie in memory as they do in the file: little-endian.
                case .float32: try draft.append(values)
                case .float16: try draft.append(halves(values, item.name, path))
                }
            }
        }
        try draft.publish(.synced)
    }

    private static let pieceCount = 1 << 16

    private static func halves(_ values: [Float], _ name: String, _ path: String) throws(FileError) -> [Float16] {
        let halves = values.map { Float16($0) }
        if let i = values.indices.first(where: { values[$0].isFinite && !halves[$0].isFinite }) {
            throw FileError(path, "tensor \(name) holds \(values[i]), which is beyond fp16: write it as fp32")
        }
        return halves
    }
}
