import Glibc

/// Numbers as people read them.
enum Figure {
    /// Four significant digits, such as 0.01234, 5.678 or 1235.
    static func text(_ x: Double) -> String {
        guard x.isFinite, x != 0 else { return "\(x)" }
        let scale = pow(10, 3 - floor(log10(abs(x))))
        let rounded = (x * scale).rounded() / scale
        return abs(rounded) >= 1000 ? "\(Int(rounded))" : "\(rounded)"
    }
}
