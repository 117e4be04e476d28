/// A request body that cannot be used: not in its format at all, or well-formed with a wrong value in it.
enum PayloadError: Error, Equatable {
    /// The bytes are not in the format they are said to be.
    case malformed(String)
    /// The format is right, a value is not what it must be.
    case invalid(String)

    /// What was wrong, and what was expected.
    var reason: String {
        switch self {
        case .malformed(let reason), .invalid(let reason): reason
        }
    }
}
