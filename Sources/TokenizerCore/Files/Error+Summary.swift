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
