import Compute

/// One picture in the making: its canvas, and the palette, light and noise all its objects share.
struct Scene {
    var canvas: Canvas
    var source: RandomSource
    let noise: NoiseTiles
    let palette: Palette
    /// Direction towards the light: x right, y down, z towards the viewer; length 1.
    let light: SIMD3<Float>
    /// Pixels per 1/256 of the picture's side.
    let unit: Float

    init(side: Int, source: RandomSource) {
        var source = source
        canvas = Canvas(side: side)
        noise = NoiseTiles(side: side > 256 ? 512 : 256, from: &source)
        palette = Palette(from: &source)
        let direction = Wave.direction(turns: source.uniform())
        light = SIMD3(direction.x * 0.6, direction.y * 0.6, 0.8)
        unit = Float(side) / 256
        self.source = source
    }

    var side: Float { Float(canvas.side) }

    /// Draws one of the kinds of scene, then sometimes what lies in front of it.
    mutating func compose() {
        switch source.uniform() {
        case ..<0.3: composeLeaves()
        case ..<0.5: composeLandscape()
        case ..<0.78: composePortrait()
        default: composeFacade()
        }
        if source.chance(0.2) { growStems() }
        if source.chance(0.12) { writeLettering() }
    }

    mutating func anywhere() -> SIMD2<Float> {
        SIMD2(source.uniform(), source.uniform()) * side
    }

    /// A radius whose density falls with its cube, as the sizes of objects in photographs do.
    mutating func powerLawRadius(from smallest: Float, to largest: Float) -> Float {
        let ratio = smallest / largest
        return smallest / (1 - source.uniform() * (1 - ratio * ratio)).squareRoot()
    }
}

extension Scene {
    /// How an object meets its surroundings.
    struct Manner {
        /// Width of the edge in pixels.
        var softness: Float = 1
        /// Depth of the shadow it casts, 0…1.
        var shadow: Float = 0
        /// Whether it is shaded as a rounded body.
        var isRound = false
        /// Scales contrast and grain of its texture.
        var detail: Float = 1
    }

    /// Covers the whole canvas with one texture.
    mutating func fill(detail: Float) {
        let texture = Texture(palette: palette, reach: side / 2, detail: detail, from: &source)
        let center = SIMD2(side, side) / 2
        canvas.map { point, _ in texture.color(at: point, center: center, noise: noise) }
    }

    /// Paints an object with a texture of its own, and the shadow it casts.
    mutating func place(_ shape: Shape, _ manner: Manner) {
        if manner.shadow > 0 { castShadow(of: shape, manner) }
        let reach = min(shape.reach, side / 2)
        let texture = Texture(palette: palette, reach: reach, detail: manner.detail, from: &source)
        let center = shape.center
        guard manner.isRound else {
            canvas.paint(shape, softness: manner.softness, opacity: 1, noise: noise) { point, _ in
                texture.color(at: point, center: center, noise: noise)
            }
            return
        }
        let light = light
        canvas.paint(shape, softness: manner.softness, opacity: 1, noise: noise) { point, _ in
            let tilt = (point - center) / reach
            let height = max(0, 1 - (tilt * tilt).sum()).squareRoot()
            let facing = max(0, (SIMD3(tilt.x, tilt.y, height) * light).sum())
            return texture.color(at: point, center: center, noise: noise) * (0.35 + 0.8 * facing)
        }
    }

    private mutating func castShadow(of shape: Shape, _ manner: Manner) {
        let throwDistance = min(shape.reach, 40 * unit) * source.uniform(in: 0.05...0.35)
        var shadow = shape
        shadow.center -= SIMD2(light.x, light.y) * throwDistance
        let softness = max(1.5, throwDistance * source.uniform(in: 0.4...1.6)) + manner.softness
        canvas.paint(shadow, softness: softness, opacity: manner.shadow, noise: noise) { _, _ in .zero }
    }
}
