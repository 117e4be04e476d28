extension Scene {
    /// Lines of strokes that are spaced and shaped like writing, in one colour on what is there or on a plate.
    mutating func writeLettering() {
        let height = unit * source.uniform(in: 5...22)
        let lines = 1 + source.below(source.chance(0.3) ? 9 : 2)
        let glyphs = 3 + source.below(16)
        let start = anywhere() * SIMD2(0.6, 0.9)
        let ink = palette.color(from: &source)
        if source.chance(0.5) {
            let extents = SIMD2(Float(glyphs) * height * 0.75, Float(lines) * height * 1.5) / 2 + height * 0.4
            let plate = Shape(center: start + extents - height * 0.4, axis: SIMD2(1, 0), outline: .box(extents, corner: height * 0.2))
            let color = palette.partner(of: ink, contrast: 0.5, from: &source)
            canvas.paint(plate, softness: 1, opacity: 1, noise: noise) { _, _ in color }
        }
        for line in 0..<lines {
            for glyph in 0..<glyphs where !source.chance(0.15) {
                write(at: start + SIMD2(Float(glyph) * 0.75, Float(line) * 1.5) * height, height: height, ink)
            }
        }
    }

    /// One glyph: two to four strokes between the nodes of a 2 × 3 lattice, as in most alphabets.
    private mutating func write(at corner: SIMD2<Float>, height: Float, _ ink: SIMD4<Float>) {
        let width = max(0.4, height * 0.055)
        for _ in 0..<(2 + source.below(3)) {
            let from = SIMD2(Float(source.below(2)) * 0.5, Float(source.below(3)) * 0.5)
            let to = SIMD2(Float(source.below(2)) * 0.5, Float(source.below(3)) * 0.5)
            let stroke = (to - from) * height
            let length = (stroke * stroke).sum().squareRoot()
            let axis = length > 0 ? stroke / length : SIMD2(1, 0)
            let bar = Shape(
                center: corner + (from + to) * 0.5 * height, axis: axis,
                outline: .bar(halfLength: length / 2, halfWidth: width))
            canvas.paint(bar, softness: 1, opacity: 1, noise: noise) { _, _ in ink }
        }
    }
}
