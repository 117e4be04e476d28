/// How much of a texture's second colour shows at a point: a number in 0…1.
enum Pattern {
    case flat
    /// Rises from 0 to 1 along `slope` (1/pixels).
    case gradient(slope: SIMD2<Float>)
    /// Noise, stretched by the texture's axes.
    case noise(Tile, contrast: Float)
    /// Noise cut at a level, as on marble, lichen or animal fur.
    case patches(Tile, level: Float, sharpness: Float)
    /// Parallel waves with bent crests; `squareness` above 1 makes them stripes.
    case grating(frequency: Float, squareness: Float, warp: Float)
    /// Threads over and under each other.
    case weave(frequency: Float)
    /// Courses of bricks, tiles or planks with joints; each has its own shade.
    case courses(size: SIMD2<Float>, joint: Float)
    /// Overlapping scales or leaves.
    case scales(size: Float)

    enum Tile {
        case rough, natural, smooth
    }

    /// - Parameters:
    ///   - p: position in the texture's own axes, in pixels.
    ///   - noise: the picture's noise tiles.
    @inline(__always)
    func value(at p: SIMD2<Float>, noise: borrowing NoiseTiles) -> Float {
        switch self {
        case .flat: 0
        case .gradient(let slope): (p * slope).sum() + 0.5
        case .noise(let tile, let contrast): 0.5 + contrast * Self.sample(tile, p, noise)
        case .patches(let tile, let level, let sharpness): 0.5 + sharpness * (Self.sample(tile, p, noise) - level)
        case .grating(let frequency, let squareness, let warp):
            0.5 + 0.5 * squareness * Wave.sine(turns: p.x * frequency + warp * noise.smooth(p * 0.5))
        case .weave(let frequency): Self.weave(p * frequency)
        case .courses(let size, let joint): Self.courses(p, size, joint)
        case .scales(let size): Self.scales(p / size)
        }
    }

    @inline(__always)
    private static func sample(_ tile: Tile, _ p: SIMD2<Float>, _ noise: borrowing NoiseTiles) -> Float {
        switch tile {
        case .rough: noise.rough(p)
        case .natural: noise.natural(p)
        case .smooth: noise.smooth(p)
        }
    }

    private static func weave(_ p: SIMD2<Float>) -> Float {
        let isOver = (Wave.floor(p.x) &+ Wave.floor(p.y)) & 1 == 0
        let across = isOver ? p.x : p.y
        let along = isOver ? p.y : p.x
        let thread = Wave.sine(turns: (across - Float(Wave.floor(across))) * 0.5)
        return thread * (0.6 + 0.4 * Wave.sine(turns: along * 0.5 + 0.1))
    }

    private static func courses(_ p: SIMD2<Float>, _ size: SIMD2<Float>, _ joint: Float) -> Float {
        let row = Wave.floor(p.y / size.y)
        let shifted = p.x + (row & 1 == 0 ? 0 : 0.5 * size.x)
        let column = Wave.floor(shifted / size.x)
        let inset = SIMD2(shifted - Float(column) * size.x, p.y - Float(row) * size.y)
        let edge = min(min(inset.x, size.x - inset.x), min(inset.y, size.y - inset.y)) - joint
        let shade = Float(hash(column, row) & 0xFF) / 255
        return max(0, min(1, 1 - edge)) + (edge > 0 ? 0.35 * shade : 0)
    }

    private static func scales(_ p: SIMD2<Float>) -> Float {
        let row = Wave.floor(p.y)
        let x = p.x + (row & 1 == 0 ? 0 : 0.5)
        let column = Wave.floor(x)
        let u = x - Float(column) - 0.5
        let v = p.y - Float(row)
        let shade = Float(hash(column, row) & 0xFF) / 255
        return 0.8 * max(0, min(1, v + 1.6 * u * u)) + 0.25 * shade
    }

    private static func hash(_ x: Int32, _ y: Int32) -> UInt32 {
        var h = UInt32(bitPattern: x) &* 0x9E37_79B1 ^ UInt32(bitPattern: y) &* 0x85EB_CA77
        h = (h ^ h >> 15) &* 0x2C1B_3C6D
        return h ^ h >> 13
    }
}
