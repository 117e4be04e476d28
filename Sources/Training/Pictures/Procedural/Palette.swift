import Compute

/// The colours of one picture: a few materials whose channels are as correlated as in photographs.
///
/// Colours are drawn as luma and two chroma coordinates, because natural colours vary most in luma, less between blue and yellow,
/// least between red and green. Components are sRGB in 0…1 (the fourth lane is unused).
struct Palette {
    private let materials: [SIMD4<Float>]

    init(from source: inout RandomSource) {
        let cast = SIMD2(source.normal() * 0.05, source.normal() * 0.03)
        // Most scenes are muted; one in six is vivid.
        let saturation = source.chance(0.17) ? source.uniform(in: 0.14...0.25) : source.uniform(in: 0.03...0.15)
        let count = 3 + source.below(6)
        materials = (0..<count).map { _ in
            let luma = Self.luma(from: &source)
            let vividness = saturation * (0.4 + 1.2 * source.uniform())
            let chroma = cast + SIMD2(source.normal(), source.normal() * 0.55) * vividness
            return Self.color(luma: luma, blueYellow: chroma.x, redGreen: chroma.y)
        }
    }

    /// A material's colour, slightly varied in luma and hue as two leaves of one tree are.
    func color(from source: inout RandomSource) -> SIMD4<Float> {
        let material = materials[source.below(materials.count)]
        return Self.varied(material, luma: source.normal() * 0.07, hue: SIMD2(source.normal(), source.normal()) * 0.015)
    }

    /// A companion of `color` for the other phase of a texture: mostly lighter or darker, little change of hue.
    func partner(of color: SIMD4<Float>, contrast: Float, from source: inout RandomSource) -> SIMD4<Float> {
        if source.chance(0.15) { return self.color(from: &source) }
        let sign: Float = source.chance(0.5) ? 1 : -1
        return Self.varied(color, luma: sign * contrast, hue: SIMD2(source.normal(), source.normal()) * 0.02)
    }

    /// Sums two uniforms: mid tones are common, near black and near white are not rare.
    private static func luma(from source: inout RandomSource) -> Float {
        0.04 + 0.46 * (source.uniform() + source.uniform())
    }

    private static func varied(_ color: SIMD4<Float>, luma: Float, hue: SIMD2<Float>) -> SIMD4<Float> {
        // Brighter and darker versions of a material keep its hue: the channels scale together.
        let brightness = max(0.02, luminance(color))
        let scale = max(0.1, brightness + luma) / brightness
        return color * scale + self.color(luma: 0, blueYellow: hue.x, redGreen: hue.y)
    }

    /// Inverse of the JPEG luma–chroma transform with axes turned so that the first runs from blue to yellow.
    private static func color(luma: Float, blueYellow: Float, redGreen: Float) -> SIMD4<Float> {
        let cb = -0.62 * blueYellow - 0.25 * redGreen
        let cr = 0.64 * blueYellow + 0.8 * redGreen
        return SIMD4(luma + 1.402 * cr, luma - 0.344 * cb - 0.714 * cr, luma + 1.772 * cb, 0)
    }

    static func luminance(_ color: SIMD4<Float>) -> Float {
        (color * SIMD4(0.299, 0.587, 0.114, 0)).sum()
    }
}
