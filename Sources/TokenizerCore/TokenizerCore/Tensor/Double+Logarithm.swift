import Glibc

extension Double {
    /// log₂ x.
    var logarithm2: Double { log2(self) }
}
