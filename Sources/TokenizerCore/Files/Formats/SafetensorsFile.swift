import FoundationEssentials

/// A safetensors file, mapped or copied into memory.
///
/// Source: the safetensors format description: 8 bytes of header length, a JSON header, then the tensors without gaps.
package final class SafetensorsFile: Sendable {
    /// Where a tensor lies and what its numbers are.
    package struct Entry: Sendable {
        package let type: ElementType
        package let shape: [Int]
        /// From the start of the file.
        let offset: Int

        package var count: Int { shape.reduce(1, *) }
        var bytes: Int { count * type.bytes }
    }

    /// The element types that are read as floats, and the integers of index tables.
    package enum ElementType: String, Decodable, Sendable {
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"
        case int32 = "I32"
        case int64 = "I64"

        var bytes: Int {
            switch self {
            case .float16, .bfloat16: 2
            case .float32, .int32: 4
            case .int64: 8
            }
        }

        /// Nil for integers.
        package var format: FloatFormat? {
            switch self {
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: .bfloat16
            case .int32, .int64: nil
            }
        }
    }

    package var path: String { contents.path }
    /// The names of all tensors.
    package var names: Set<String> { Set(entries.keys) }
    /// Keeps the bytes of all tensors in memory.
    package let contents: FileContents
    private let entries: [String: Entry]

    private static let maximumHeaderBytes = 64 << 20

    /// Maps the file.
    /// - Throws: when the file is unreadable, truncated, or its header does not describe its bytes exactly.
    package convenience init(_ path: String) throws(FileError) {
        try self.init(FileContents(mapping: ReadableFile(path)))
    }

    /// - Throws: when the bytes are truncated, or the header does not describe them exactly.
    package init(_ contents: FileContents) throws(FileError) {
        let path = contents.path
        self.contents = contents
        entries = try contents.withBytes { bytes throws(FileError) in
            guard bytes.count >= 8 else { throw FileError(path, "is \(bytes.count) bytes long, too short for a safetensors file") }
            let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            guard length <= UInt64(Self.maximumHeaderBytes), Int(length) <= bytes.count - 8 else {
                throw FileError(
                    path, "is not a safetensors file, or it is truncated: its header would take \(length) of \(bytes.count) bytes")
            }
            let header: [String: HeaderItem]
            do {
                header = try JSONDecoder().decode([String: HeaderItem].self, from: Data(bytes[8..<8 + Int(length)]))
            } catch {
                throw FileError(path, "its safetensors header is not readable: \(error.summary)")
            }
            return try Self.entries(header, dataStart: 8 + Int(length), fileBytes: bytes.count, path: path)
        }
    }

    /// Where the tensor called `name` lies.
    /// - Throws: when there is no such tensor.
    package func entry(_ name: String) throws(FileError) -> Entry {
        guard let entry = entries[name] else { throw FileError(path, "has no tensor named \(name)") }
        return entry
    }

    /// Passes the tensor's bytes, little-endian and row-major, which live as long as ``contents``.
    package func withBytes<R>(of entry: Entry, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        contents.withBytes { body(UnsafeRawBufferPointer(rebasing: $0[entry.offset..<entry.offset + entry.bytes])) }
    }

    private static func entries(
        _ header: [String: HeaderItem], dataStart: Int, fileBytes: Int, path: String
    ) throws(FileError) -> [String: Entry] {
        var entries: [String: Entry] = [:]
        var runs: [(start: Int, end: Int)] = []
        for (name, item) in header {
            guard case .tensor(let type, let shape, let offsets) = item else { continue }
            var bytes = type.bytes
            for extent in shape {
                let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
                guard extent >= 0, !overflow else { throw FileError(path, "tensor \(name) has the impossible shape \(shape)") }
                bytes = product
            }
            guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] - offsets[0] == bytes else {
                throw FileError(path, "tensor \(name) of shape \(shape) needs \(bytes) bytes but its offsets are \(offsets)")
            }
            guard offsets[1] <= fileBytes - dataStart else {
                throw FileError(path, "is truncated: tensor \(name) ends at byte \(offsets[1]) of \(fileBytes - dataStart)")
            }
            runs.append((offsets[0], offsets[1]))
            entries[name] = Entry(type: type, shape: shape, offset: dataStart + offsets[0])
        }
        runs.sort { ($0.start, $0.end) < ($1.start, $1.end) }
        var end = 0
        for run in runs {
            guard run.start == end else { throw FileError(path, "its tensors overlap or leave gaps at byte \(run.start)") }
            end = run.end
        }
        guard end == fileBytes - dataStart else { throw FileError(path, "has \(fileBytes - dataStart - end) bytes after its last tensor") }
        return entries
    }

    /// One member of the header: a tensor, or the free-form `__metadata__`.
    private enum HeaderItem: Decodable {
        case tensor(ElementType, shape: [Int], offsets: [Int])
        case metadata

        private enum Key: String, CodingKey {
            case type = "dtype"
            case shape
            case offsets = "data_offsets"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            guard decoder.codingPath.first?.stringValue != "__metadata__" else {
                self = .metadata
                return
            }
            self = .tensor(
                try container.decode(ElementType.self, forKey: .type), shape: try container.decode([Int].self, forKey: .shape),
                offsets: try container.decode([Int].self, forKey: .offsets))
        }
    }
}
