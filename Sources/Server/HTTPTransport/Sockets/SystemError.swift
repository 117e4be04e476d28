import Glibc

/// A system call that failed for a reason its caller cannot mend.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was attempted: `bind 127.0.0.1:8080`.
    package let operation: String
    /// The value of `errno`.
    package let code: CInt

    package init(operation: String, code: CInt) {
        self.operation = operation
        self.code = code
    }

    /// `bind 127.0.0.1:8080: Address already in use`.
    package var description: String {
        "\(operation): \(String(cString: strerror(code)))"
    }
}
