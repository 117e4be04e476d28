import Glibc

/// A system call that failed for a reason its caller cannot mend.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was attempted: `bind 127.0.0.1:8080`.
    public let operation: String
    /// The value of `errno`.
    public let code: CInt

    public init(operation: String, code: CInt) {
        self.operation = operation
        self.code = code
    }

    /// `bind 127.0.0.1:8080: Address already in use`.
    public var description: String {
        "\(operation): \(String(cString: strerror(code)))"
    }
}
