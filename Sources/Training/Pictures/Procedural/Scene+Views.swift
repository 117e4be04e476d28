extension Scene {
    /// Sky, ranges of hills or shores that grow more detailed towards the viewer, and growth in the foreground.
    mutating func composeLandscape() {
        fill(detail: 0.35)
        if source.chance(0.5) { drawClouds() }
        let layers = 1 + source.below(5)
        var height = side * source.uniform(in: 0.25...0.6)
        for layer in 0..<layers {
            let nearness = Float(layer + 1) / Float(layers)
            var shape = Shape(
                center: SIMD2(side / 2, height), axis: Wave.direction(turns: source.normal() * 0.012), outline: .halfPlane)
            if source.chance(0.8) { roughen(&shape, by: unit * (1 + 12 * source.uniform() * source.uniform())) }
            place(shape, Manner(softness: source.uniform(in: 0.8...2), detail: 0.4 + nearness))
            height += (side - height) * source.uniform(in: 0.15...0.5)
        }
        if source.chance(0.6) { growFoliage() }
        if source.chance(0.4) { scatterLeaves(coverage: source.uniform() * 0.5, smallest: 2, detail: 1) }
    }

    private mutating func drawClouds() {
        let white = SIMD4<Float>(0.93, 0.93, 0.95, 0) * source.uniform(in: 0.75...1)
        let origin = anywhere()
        let stretch = SIMD2(source.uniform(in: 0.2...0.5), source.uniform(in: 0.4...1.2))
        let level = source.uniform(in: -0.5...1)
        canvas.map { point, color in
            let density = max(0, min(1, 0.6 * (noise.smooth(point * stretch + origin) - level)))
            return color + (white - color) * density
        }
    }

    /// A few crowns of many small leaves of one colour, lit from one side.
    mutating func growFoliage() {
        for _ in 0..<(1 + source.below(4)) {
            let crown = anywhere()
            let spread = side * source.uniform(in: 0.08...0.3)
            let leafRadius = unit * source.uniform(in: 1...3.5)
            let color = palette.color(from: &source)
            let leaves = min(500, Int(spread * spread / (leafRadius * leafRadius) * 0.7))
            for _ in 0..<leaves {
                let offset = SIMD2(source.normal(), source.normal()) * 0.45
                let shape = Shape(
                    center: crown + offset * spread, axis: Wave.direction(turns: source.uniform()),
                    outline: .ellipse(SIMD2(leafRadius, leafRadius * 0.5) * source.uniform(in: 0.6...1.4)))
                let brightness = 1 + 0.5 * (offset * SIMD2(light.x, light.y)).sum() + 0.2 * source.normal()
                let shade = color * max(0.2, brightness)
                canvas.paint(shape, softness: 1, opacity: 1, noise: noise) { _, _ in shade }
            }
        }
    }

    /// One to four large objects in focus before a background that is not.
    mutating func composePortrait() {
        fill(detail: 0.7)
        scatterLeaves(coverage: source.uniform(in: 0.5...2), smallest: 6 * unit, detail: 0.8)
        canvas.defocus(Int(unit * source.uniform(in: 1...6)))
        for _ in 0..<(1 + source.below(4)) {
            let radius = side * source.uniform(in: 0.15...0.45)
            let center = SIMD2(side, side) * 0.5 + SIMD2(source.normal(), source.normal()) * side * 0.2
            let shape = leaf(at: center, radius: radius)
            let shadow = source.chance(0.6) ? source.uniform(in: 0.2...0.6) : 0
            place(shape, Manner(softness: source.uniform(in: 1...2), shadow: shadow, isRound: source.chance(0.7)))
            addDetails(on: center, within: radius * 0.7)
        }
    }

    /// Small parts on a larger object: eyes, buttons, petals, spots.
    private mutating func addDetails(on center: SIMD2<Float>, within radius: Float) {
        let largest = max(3, radius * 0.4)
        for _ in 0..<source.below(14) {
            let place = center + SIMD2(source.normal(), source.normal()) * 0.5 * radius
            let shape = leaf(at: place, radius: powerLawRadius(from: 1.5, to: largest))
            let shadow = source.chance(0.3) ? source.uniform(in: 0.2...0.5) : 0
            self.place(shape, Manner(shadow: shadow, isRound: source.chance(0.4)))
        }
    }

    /// Walls, windows and furniture: upright boxes, repeated, under a few free shapes.
    mutating func composeFacade() {
        fill(detail: 0.8)
        for _ in 0..<(2 + source.below(7)) {
            let extents = SIMD2(source.uniform(in: 0.08...0.5), source.uniform(in: 0.08...0.5)) * side
            let shape = upright(at: anywhere(), extents: extents, corner: 0)
            place(shape, Manner(softness: source.uniform(in: 1...1.5), shadow: source.uniform() * 0.5))
            if source.chance(0.6) { repeatBoxes(around: shape.center, within: extents, axis: shape.axis) }
        }
        if source.chance(0.5) { scatterLeaves(coverage: source.uniform() * 0.4, smallest: 2, detail: 1) }
        if source.chance(0.3) { growFoliage() }
    }

    private mutating func upright(at center: SIMD2<Float>, extents: SIMD2<Float>, corner: Float) -> Shape {
        let tilt = source.chance(0.6) ? 0 : source.normal() * 0.02
        return Shape(center: center, axis: Wave.direction(turns: tilt), outline: .box(extents, corner: corner))
    }

    private mutating func repeatBoxes(around center: SIMD2<Float>, within extents: SIMD2<Float>, axis: SIMD2<Float>) {
        let pitch = SIMD2(source.uniform(in: 9...40), source.uniform(in: 9...40)) * unit
        let window = pitch * SIMD2(source.uniform(in: 0.2...0.4), source.uniform(in: 0.2...0.42))
        let color = palette.color(from: &source)
        let columns = Int(extents.x / pitch.x)
        let rows = Int(extents.y / pitch.y)
        for row in -rows...rows {
            for column in -columns...columns {
                let offset = SIMD2(Float(column), Float(row)) * pitch
                let turned = SIMD2(offset.x * axis.x - offset.y * axis.y, offset.x * axis.y + offset.y * axis.x)
                let shape = Shape(center: center + turned, axis: axis, outline: .box(window, corner: 0))
                let pane = palette.partner(of: color, contrast: 0.06, from: &source)
                let slope = source.uniform() * 0.3 / window.y
                canvas.paint(shape, softness: 1, opacity: 1, noise: noise) { point, _ in
                    pane * (1 + slope * (point.y - shape.center.y))
                }
            }
        }
    }
}
