import Glibc

extension Double {
    /// log₂ x.
    package var logarithm2: Double { log2(self) }
}
