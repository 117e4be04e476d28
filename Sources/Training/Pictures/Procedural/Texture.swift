import Compute

/// The surface of one object: two colours mixed by a pattern, under fine grain and uneven light.
struct Texture {
    private let first: SIMD4<Float>
    private let second: SIMD4<Float>
    private let pattern: Pattern
    private let axis: SIMD2<Float>
    private let stretch: SIMD2<Float>
    private let origin: SIMD2<Float>
    /// Relative strength of the grain, and its noise tile pixels per picture pixel.
    private let grain: Float
    private let grainScale: Float
    /// Change of brightness per pixel.
    private let shading: SIMD2<Float>

    /// - Parameters:
    ///   - reach: the half size in pixels of what the texture covers.
    ///   - detail: about 1; scales contrast and grain. Out-of-focus things have less.
    init(palette: Palette, reach: Float, detail: Float, from source: inout RandomSource) {
        let contrast = detail * 0.32 * source.uniform() * source.uniform() + 0.04
        first = palette.color(from: &source)
        second = palette.partner(of: first, contrast: contrast, from: &source)
        pattern = Self.pattern(reach: reach, from: &source)
        axis = source.chance(0.4) ? SIMD2(1, 0) : Wave.direction(turns: source.uniform())
        stretch = SIMD2(1, source.chance(0.4) ? source.uniform(in: 0.1...0.5) : 1) * source.uniform(in: 0.5...1.2)
        let place = SIMD2(source.uniform(), source.uniform()) * 512
        origin = if case .gradient = pattern { .zero } else { place }
        let isGrainy = source.chance(0.6)
        grain = isGrainy ? detail * 0.2 * source.uniform() * source.uniform() : 0
        grainScale = source.uniform(in: 0.6...1.4)
        shading = Wave.direction(turns: source.uniform()) * (source.uniform() * 0.35 / max(reach, 4))
    }

    /// - Parameters:
    ///   - point: in picture pixels.
    ///   - center: the middle of the object: gradients are half way and the uneven light is neutral there.
    @inline(__always)
    func color(at point: SIMD2<Float>, center: SIMD2<Float>, noise: borrowing NoiseTiles) -> SIMD4<Float> {
        let offset = point - center
        let turned = SIMD2(offset.x * axis.x + offset.y * axis.y, offset.y * axis.x - offset.x * axis.y)
        let p = turned * stretch + origin
        let mix = max(0, min(1, pattern.value(at: p, noise: noise)))
        var light = 1 + (offset * shading).sum()
        if grain > 0 { light += grain * noise.rough(point * grainScale + origin) }
        return (first + (second - first) * mix) * max(light, 0.1)
    }

    private static func pattern(reach: Float, from source: inout RandomSource) -> Pattern {
        let kind = source.uniform()
        let tile: Pattern.Tile = source.chance(0.3) ? .rough : source.chance(0.6) ? .natural : .smooth
        let period = source.uniform(in: 2.5...10) + reach * 0.1 * source.uniform()
        return switch kind {
        case ..<0.14: .flat
        case ..<0.3: .gradient(slope: SIMD2(0.7 / max(reach, 2), 0))
        case ..<0.62: .noise(tile, contrast: source.uniform(in: 0.2...0.6))
        case ..<0.75:
            .patches(tile, level: source.uniform(in: -0.8...0.8), sharpness: source.uniform(in: 0.6...3))
        case ..<0.85:
            .grating(frequency: 1 / period, squareness: source.uniform(in: 0.6...4), warp: source.uniform() * 1.5)
        case ..<0.89: .weave(frequency: 1 / period)
        case ..<0.95:
            .courses(
                size: SIMD2(source.uniform(in: 1...4), 1) * (period + 3), joint: source.uniform(in: 0.2...1))
        default: .scales(size: period + 2)
        }
    }
}
