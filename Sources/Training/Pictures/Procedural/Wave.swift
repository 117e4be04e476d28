/// Periodic functions from correctly rounded arithmetic alone, so that pictures are the same bits on every machine.
enum Wave {
    /// The largest integer not above `x`, for |x| < 2³¹.
    @inline(__always)
    static func floor(_ x: Float) -> Int32 {
        let truncated = Int32(x)
        return Float(truncated) > x ? truncated &- 1 : truncated
    }

    /// sin(2π · `turns`), within 0.0011.
    @inline(__always)
    static func sine(turns: Float) -> Float {
        let x = turns - Float(floor(turns + 0.5))
        let parabola = x * (8 - 16 * abs(x))
        return parabola * (0.775 + 0.225 * abs(parabola))
    }

    /// The unit vector at `turns` from the x axis towards the y axis.
    static func direction(turns: Float) -> SIMD2<Float> {
        let vector = SIMD2(sine(turns: turns + 0.25), sine(turns: turns))
        return vector / (vector * vector).sum().squareRoot()
    }
}
