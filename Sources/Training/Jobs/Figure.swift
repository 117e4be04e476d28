import Glibc

/// Numbers as people read them.
package enum Figure {
    /// Four significant digits and no fewer whole ones, such as 0.01234, 5.678 or 16384.
    package static func text(_ x: Double) -> String {
        guard x.isFinite, x != 0 else { return x == 0 ? "0" : "\(x)" }
        let scale = pow(10, max(0, 3 - floor(log10(abs(x)))))
        let rounded = (x * scale).rounded() / scale
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }

    /// Two significant digits of a positive number, with a power of ten where it is small: 0.012, 3.2e-05.
    package static func significant(_ x: Double) -> String {
        guard x > 0, x.isFinite else { return "\(x)" }
        let power = Int(floor(log10(x)))
        guard power < -3 else { return text((x * pow(10, 1 - Double(power))).rounded() / pow(10, 1 - Double(power))) }
        let tenths = Int((x * pow(10, 1 - Double(power))).rounded())
        let (digits, exponent) = tenths == 100 ? (10, power + 1) : (tenths, power)
        return (digits % 10 == 0 ? "\(digits / 10)" : "\(digits / 10).\(digits % 10)") + "e\(exponent)"
    }

    /// Exactly `digits` decimals, such as 24.10 for 24.1 and 2; 0 to 9.
    package static func decimals(_ x: Double, _ digits: Int) -> String {
        let scale = pow(10, Double(digits))
        guard x.isFinite, abs(x) * scale < 1e15 else { return "\(x)" }
        let whole = Int((abs(x) * scale).rounded())
        let fraction = String(whole % Int(scale))
        let sign = x < 0 && whole > 0 ? "-" : ""
        let padding = String(repeating: "0", count: max(0, digits - fraction.count))
        return sign + "\(whole / Int(scale))" + (digits == 0 ? "" : ".\(padding)\(fraction)")
    }

    /// A number of things whose plural takes an s: "1 image", "2 images".
    package static func count(_ number: Int, _ thing: String) -> String {
        "\(number) \(thing)\(number == 1 ? "" : "s")"
    }

    /// Seconds as "1:02:03" or "2:03".
    package static func clock(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e9).rounded())
        let twoDigits = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        let minutes = whole / 60
        return minutes < 60
            ? "\(minutes):\(twoDigits(whole % 60))" : "\(minutes / 60):\(twoDigits(minutes % 60)):\(twoDigits(whole % 60))"
    }

    /// A positive number with about three significant digits.
    static func threeDigits(_ x: Double) -> String {
        let decimals = x >= 100 ? 1.0 : x >= 10 ? 10.0 : 100.0
        let rounded = (x * decimals).rounded() / decimals
        return decimals == 1 ? "\(Int(rounded))" : "\(rounded)"
    }
}
