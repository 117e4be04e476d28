import HTTPTransport

/// The formats that bodies come and go in.
extension MediaType {
    static let json = "application/json"
    static let multipart = "multipart/form-data"
    static let npy = "application/x-npy"
    /// Little-endian integers, and nothing else.
    static let octets = "application/octet-stream"
    /// ``PackedTokens``.
    static let packed = "application/vnd.revq.tokens"
    static let any = "*/*"
    /// JSON documents, a line each.
    static let ndjson = "application/x-ndjson"
    static let problem = "application/problem+json"
    static let jpeg = "image/jpeg"
    static let png = "image/png"
    static let prometheus = "text/plain"
}

/// A request body that cannot be used.
enum PayloadError: Error, Equatable {
    /// The bytes are not in the format they are said to be.
    case malformed(String)
    /// The format is right, a value is not what it must be.
    case invalid(String)
    /// There are more or fewer tokens than the model has per image.
    case tokenCount(String)
    /// A token is none of the model's.
    case tokenRange(String)
    /// A list has more members than the server takes.
    case tooMany(String)
    /// The bytes are in none of the formats, whatever they are said to be.
    case unrecognized(expected: [String])

    /// What was wrong, and what was expected.
    var reason: String {
        switch self {
        case .malformed(let reason), .invalid(let reason), .tokenCount(let reason), .tokenRange(let reason), .tooMany(let reason): reason
        case .unrecognized(let expected): "the body is none of: \(expected.joined(separator: ", "))"
        }
    }
}
