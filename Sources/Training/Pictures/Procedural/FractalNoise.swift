import Compute

/// A square tile of Gaussian 1/f noise that repeats seamlessly.
///
/// White noise on ever finer lattices, each half the pitch of the one before, is summed through quadratic B-splines. When each
/// octave is `gain` times as strong as the coarser one, the power spectrum falls as f^(−2 + 2·log₂ gain): gain 1 is the 1/f² of
/// natural images, 1.4 gives 1/f (sand, bark), 0.7 gives 1/f³ (clouds).
struct FractalNoise {
    private let mask: Int32
    private let side: Int
    private let values: [Float]

    /// - Parameters:
    ///   - side: a power of two, at least 8.
    ///   - gain: the strength of an octave relative to the next coarser one.
    init(side: Int, gain: Float, from source: inout RandomSource) {
        precondition(side >= 8 && side & (side - 1) == 0, "a noise tile's side is a power of two, got \(side)")
        var lattice = (0..<16).map { _ in Self.nearlyNormal(&source) }
        var extent = 4
        var strength: Float = 1
        while extent < side {
            lattice = Self.refined(lattice, side: extent)
            extent *= 2
            strength *= gain
            for index in lattice.indices { lattice[index] += strength * Self.nearlyNormal(&source) }
        }
        self.side = side
        mask = Int32(side - 1)
        values = Self.standardised(lattice)
    }

    /// The noise at `point` in tile pixels, interpolated between the four nearest; mean 0, variance about 1.
    @inline(__always)
    func callAsFunction(_ point: SIMD2<Float>) -> Float {
        let left = Wave.floor(point.x)
        let top = Wave.floor(point.y)
        let fx = point.x - Float(left)
        let fy = point.y - Float(top)
        let x0 = Int(left & mask)
        let x1 = Int((left &+ 1) & mask)
        let row0 = Int(top & mask) * side
        let row1 = Int((top &+ 1) & mask) * side
        let upper = values[row0 + x0] + fx * (values[row0 + x1] - values[row0 + x0])
        let lower = values[row1 + x0] + fx * (values[row1 + x1] - values[row1 + x0])
        return upper + fy * (lower - upper)
    }

    /// The sum of four uniform values from one draw: close enough to normal for a texture, and cheap.
    private static func nearlyNormal(_ source: inout RandomSource) -> Float {
        let bits = source.next()
        let sum = Int32(bits & 0xFFFF) + Int32(bits >> 16 & 0xFFFF) + Int32(bits >> 32 & 0xFFFF) + Int32(bits >> 48)
        return Float(sum - 131_070) * (1.7320508 / 65_536)
    }

    /// One step of quadratic B-spline subdivision on a torus: twice the side, the same surface.
    private static func refined(_ coarse: [Float], side: Int) -> [Float] {
        let wide = side * 2
        var rows = [Float](repeating: 0, count: side * wide)
        for y in 0..<side {
            for x in 0..<side {
                let here = 0.75 * coarse[y * side + x]
                rows[y * wide + 2 * x] = here + 0.25 * coarse[y * side + (x + side - 1) % side]
                rows[y * wide + 2 * x + 1] = here + 0.25 * coarse[y * side + (x + 1) % side]
            }
        }
        var fine = [Float](repeating: 0, count: wide * wide)
        for y in 0..<side {
            let above = (y + side - 1) % side * wide
            let below = (y + 1) % side * wide
            for x in 0..<wide {
                let here = 0.75 * rows[y * wide + x]
                fine[2 * y * wide + x] = here + 0.25 * rows[above + x]
                fine[(2 * y + 1) * wide + x] = here + 0.25 * rows[below + x]
            }
        }
        return fine
    }

    private static func standardised(_ values: [Float]) -> [Float] {
        let count = Float(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let scale = 1 / max(variance, 1e-12).squareRoot()
        return values.map { ($0 - mean) * scale }
    }
}

/// The noise tiles one picture draws all its randomness of surface from.
struct NoiseTiles {
    /// 1/f: grain of sand, bark, fabric.
    let rough: FractalNoise
    /// 1/f²: rock, foliage, water.
    let natural: FractalNoise
    /// 1/f³: clouds, folds, skin.
    let smooth: FractalNoise

    init(side: Int, from source: inout RandomSource) {
        rough = FractalNoise(side: side, gain: source.uniform(in: 1.25...1.5), from: &source)
        natural = FractalNoise(side: side, gain: source.uniform(in: 0.9...1.1), from: &source)
        smooth = FractalNoise(side: side, gain: source.uniform(in: 0.6...0.8), from: &source)
    }
}
