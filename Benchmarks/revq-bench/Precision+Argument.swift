import ArgumentParser
import Compute

extension Precision: ExpressibleByArgument {}

extension Precision {
    /// - Throws: in one line, where this processor cannot compute so.
    func validate() throws {
        if let obstacle { throw ValidationError(obstacle) }
    }
}
