import FoundationEssentials

/// Codable values as files.
package enum JSONFile {
    package static func bytes(_ value: some Encodable, isPretty: Bool = true) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = isPretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            preconditionFailure("a value of our own does not encode: \(error)")
        }
    }

    package static func read<Value: Decodable>(_ type: Value.Type, from path: String) throws(FileError) -> Value {
        let bytes = try StoredFile.read(path, maximumBytes: 1 << 28)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw FileError(path: path, reason: "\(path) is damaged, or of another version")
        }
    }
}

extension Error {
    /// What was wrong with a JSON document and where, in one line.
    package var summary: String {
        switch self as? DecodingError {
        case .keyNotFound(let key, let context):
            "\(context.codingPath.dotted)\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(context.codingPath.dotted)\(context.debugDescription)"
        default:
            "\(self)"
        }
    }
}

extension [any CodingKey] {
    fileprivate var dotted: String {
        isEmpty ? "" : map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".") + ": "
    }
}
