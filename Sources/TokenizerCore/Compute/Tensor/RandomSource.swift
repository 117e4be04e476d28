/// A counter-based source of random numbers: draw k of a (seed, stream) pair is a fixed function of those three numbers,
/// the same on every machine (integer arithmetic and correctly rounded +, −, ×, ÷, √ only; no libm).
///
/// Whoever needs to resume names its stream after what it is for and its ``substream(_:)`` after the step, and stores nothing else.
/// The generator is SplitMix64 started at a hash of seed and stream; not for secrets.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
package struct RandomSource: Sendable {
    private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var state: UInt64

    package init(seed: UInt64, stream: UInt64) {
        state = Self.mixed(Self.mixed(seed &+ Self.gamma) ^ Self.mixed(stream &+ 0xD1B5_4A32_D192_ED03))
    }

    /// The number of the stream called `name` (FNV-1a of its UTF-8), for `init(seed:stream:)`.
    package static func stream(named name: String) -> UInt64 {
        mixed(name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }

    /// An independent source for item `index`; this source neither advances nor matters afterwards.
    package func substream(_ index: UInt64) -> RandomSource {
        RandomSource(seed: state, stream: index)
    }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        state &+= Self.gamma
        return Self.mixed(state)
    }

    /// A multiple of 2⁻²⁴ in 0 ..< 1, all equally likely.
    package mutating func uniform() -> Float {
        Float(next() >> 40) * 0x1p-24
    }

    /// A value in `range.lowerBound ..< range.upperBound`, up to rounding.
    package mutating func uniform(in range: ClosedRange<Float>) -> Float {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// A standard normal value, one draw each, by inversion of the distribution function; at most ±8.3 in magnitude.
    package mutating func normal() -> Float {
        let probability = (Double(next() >> 11) + 0.5) * 0x1p-53
        return Float(NormalQuantile.value(at: probability))
    }

    /// An integer in `0 ..< n`; the bias is below n / 2⁶⁴.
    /// - Precondition: `n >= 1`.
    package mutating func below(_ n: Int) -> Int {
        precondition(n >= 1, "cannot draw an integer below \(n)")
        return Int(next().multipliedFullWidth(by: UInt64(n)).high)
    }

    /// `true` with the given probability.
    package mutating func chance(_ probability: Float) -> Bool {
        uniform() < probability
    }

    /// 0 ..< n in random order.
    package mutating func permutation(_ n: Int) -> [Int] {
        var order = Array(0..<n)
        for last in stride(from: n - 1, to: 0, by: -1) {
            order.swapAt(last, below(last + 1))
        }
        return order
    }

    /// Overwrites every element of `tensor` with normal values of the given mean and standard deviation, in row-major order.
    package mutating func fill(normal tensor: inout Tensor, mean: Float = 0, deviation: Float = 1) {
        let count = tensor.count
        tensor.withMutablePointer { values in
            for index in 0..<count { values[index] = mean + deviation * normal() }
        }
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The inverse of the standard normal distribution function to about seven digits, without libm.
/// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (PPND7), 1988.
private enum NormalQuantile {
    static func value(at probability: Double) -> Double {
        let q = probability - 0.5
        guard q.magnitude > 0.425 else {
            let r = 0.180625 - q * q
            return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179)
                / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1)
        }
        let tail = tailValue((-naturalLogarithm(q < 0 ? probability : 1 - probability)).squareRoot())
        return q < 0 ? -tail : tail
    }

    /// - Parameter depth: √(−ln p) for a tail probability p below 0.075.
    private static func tailValue(_ depth: Double) -> Double {
        if depth <= 5 {
            let r = depth - 1.6
            return (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777)
                / ((0.12021132975 * r + 0.73700164250) * r + 1)
        }
        let r = depth - 5
        return (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150)
            / ((0.012258202635 * r + 0.24197894225) * r + 1)
    }

    /// ln x for a normal x > 0, from the exponent and the atanh series of the significand; relative error below 1e-13.
    private static func naturalLogarithm(_ x: Double) -> Double {
        let isHigh = x.significand > 1.4142135623730951
        let m = isHigh ? x.significand / 2 : x.significand
        let exponent = Double(x.exponent) + (isHigh ? 1 : 0)
        let s = (m - 1) / (m + 1)
        let s2 = s * s
        var series = 0.0
        for half in stride(from: 8, through: 0, by: -1) { series = series * s2 + 1 / Double(2 * half + 1) }
        return exponent * 0.6931471805599453 + 2 * s * series
    }
}
