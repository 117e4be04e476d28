import Compute
import Images

/// What light, lens, sensor and file do to a painted scene: from a ``Canvas`` to the 8-bit picture.
struct Development {
    /// Mean and standard deviation of luma that the picture is brought to, in 0…1.
    private let brightness: Float
    private let contrast: Float
    /// Change of brightness per side, towards one direction; and darkening of the corners.
    private let falloff: SIMD2<Float>
    private let vignette: Float
    /// Relative depth of the soft patches of light and shade that lie over everything.
    private let dappling: Float
    private let dapplingScale: Float
    /// Strength of the final blur, see ``Canvas/soften(_:)``.
    private let softness: Float
    /// Standard deviation of the sensor's noise.
    private let sensorNoise: Float
    /// Whether chroma is kept at half resolution, as in most JPEG files.
    private let isChromaHalved: Bool

    init(from source: inout RandomSource) {
        brightness = min(0.72, max(0.16, 0.43 + 0.11 * source.normal()))
        contrast = source.uniform(in: 0.13...0.3)
        falloff = Wave.direction(turns: source.uniform()) * (source.uniform() * source.uniform() * 0.5)
        vignette = source.chance(0.4) ? source.uniform() * 0.35 : 0
        dappling = source.uniform() * source.uniform() * 0.3
        dapplingScale = source.uniform(in: 0.1...0.4)
        softness = source.uniform(in: 0...0.17)
        sensorNoise = source.chance(0.5) ? 0.012 * source.uniform() * source.uniform() : 0
        isChromaHalved = source.chance(0.4)
    }

    func image(from canvas: consuming Canvas, noise: NoiseTiles, source: inout RandomSource) -> RGBImage {
        let side = Float(canvas.side)
        canvas.map { point, color in
            let offset = point / side - 0.5
            let patches = dappling * noise.smooth(point * dapplingScale)
            return color * max(0.1, 1 + (offset * falloff).sum() - vignette * 2 * (offset * offset).sum() + patches)
        }
        expose(&canvas)
        canvas.soften(softness)
        if isChromaHalved { Self.halveChroma(&canvas) }
        return quantised(canvas, source: &source)
    }

    /// Brings luma to the wanted mean and deviation; chroma scales along, but is not amplified beyond half again.
    private func expose(_ canvas: inout Canvas) {
        let count = Float(canvas.pixels.count)
        let mean = canvas.pixels.reduce(0) { $0 + Palette.luminance($1) } / count
        let variance = canvas.pixels.reduce(Float.zero) { sum, color -> Float in
            let deviation = Palette.luminance(color) - mean
            return sum + deviation * deviation
        }
        let gain = min(4, contrast / max(variance / count, 1e-6).squareRoot())
        let chromaGain = min(gain, 1.5)
        canvas.map { [brightness] _, color in
            let luma = Palette.luminance(color)
            let exposed = Self.shoulder(brightness + (luma - mean) * gain)
            return exposed + (color - luma) * chromaGain
        }
    }

    /// Identity in the middle, bending smoothly towards 0 and 1, as film and cameras render deep shadow and glare.
    private static func shoulder(_ x: Float) -> Float {
        let knee: Float = 0.12
        if x < knee { return knee * knee / (2 * knee - x) }
        if x > 1 - knee { return 1 - knee * knee / (2 * knee - (1 - x)) }
        return x
    }

    private static func halveChroma(_ canvas: inout Canvas) {
        let side = canvas.side
        let source = canvas.pixels
        canvas.map { point, color in
            let x = Int(point.x) & ~1
            let y = Int(point.y) & ~1
            let right = min(x + 1, side - 1)
            let below = min(y + 1, side - 1)
            let mean = (source[y * side + x] + source[y * side + right] + source[below * side + x] + source[below * side + right]) / 4
            return mean + (Palette.luminance(color) - Palette.luminance(mean))
        }
    }

    private func quantised(_ canvas: Canvas, source: inout RandomSource) -> RGBImage {
        var bytes = [UInt8](repeating: 0, count: canvas.pixels.count * 3)
        for (index, color) in canvas.pixels.enumerated() {
            var value = color
            if sensorNoise > 0 {
                // Half of the noise is common to the channels, as after a camera's own chroma smoothing.
                let bits = source.next()
                let lanes = SIMD4(bits & 0xFFFF, bits >> 16 & 0xFFFF, bits >> 32 & 0xFFFF, bits >> 48)
                let noise = SIMD4<Float>(lanes) * (1 / 32_768) - 1
                value += (noise + noise.w) * sensorNoise
            }
            let scaled = (value.clamped(lowerBound: .zero, upperBound: .one)) * 255 + 0.5
            bytes[3 * index] = UInt8(scaled.x)
            bytes[3 * index + 1] = UInt8(scaled.y)
            bytes[3 * index + 2] = UInt8(scaled.z)
        }
        return RGBImage(width: canvas.side, height: canvas.side, pixels: bytes)
    }
}
