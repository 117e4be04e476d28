import FoundationEssentials

/// Writes tensors in the safetensors format.
public enum SafetensorsWriter {
    /// How numbers are stored.
    public enum Precision: String, Codable, Sendable {
        case float32 = "F32"
        case float16 = "F16"
    }

    /// Writes `tensors` in the given order and waits until the disk has them.
    ///
    /// The header is padded so that every 32-bit tensor is aligned and can be mapped without a copy.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], precision: Precision = .float32, to path: String
    ) throws(FileError) {
        let size = precision == .float32 ? 4 : 2
        var members: [String] = []
        var data: [UInt8] = []
        data.reserveCapacity(tensors.reduce(0) { $0 + $1.tensor.count * size })
        for (name, tensor) in tensors {
            let start = data.count
            tensor.withPointer { values in
                for i in 0..<tensor.count {
                    switch precision {
                    case .float32: withUnsafeBytes(of: values[i].bitPattern.littleEndian) { data.append(contentsOf: $0) }
                    case .float16: withUnsafeBytes(of: Float16(values[i]).bitPattern.littleEndian) { data.append(contentsOf: $0) }
                    }
                }
            }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            members.append("\"\(name)\":{\"dtype\":\"\(precision.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(start),\(data.count)]}")
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        while header.count % 64 != 56 { header.append(UInt8(ascii: " ")) }
        let file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + data
        try StoredFile.write(file, to: path)
    }
}
