extension Scene {
    /// The dead-leaves model: objects of all sizes at random places, each hiding what lies behind it.
    /// Source: Lee, Mumford, Huang, "Occlusion models for natural images", 2001.
    mutating func composeLeaves() {
        fill(detail: 1)
        scatterLeaves(coverage: source.uniform(in: 0.6...3.5), smallest: source.uniform(in: 1.5...5), detail: 1)
    }

    /// - Parameters:
    ///   - coverage: the leaves' total area relative to the picture's.
    ///   - smallest: the smallest radius in pixels.
    mutating func scatterLeaves(coverage: Float, smallest: Float, detail: Float) {
        let hasDepth = source.chance(0.4)
        let areShadowed = source.chance(0.6)
        let largest = side * source.uniform(in: 0.12...0.45)
        var remaining = coverage * side * side
        while remaining > 0 {
            let radius = powerLawRadius(from: smallest, to: largest)
            let shape = leaf(at: anywhere(), radius: radius)
            var manner = Manner(detail: detail)
            // With depth of field, what was painted early lies far behind.
            let depth = remaining / (coverage * side * side)
            if hasDepth { manner.softness = 1 + 8 * unit * max(0, depth - 0.4) * source.uniform() }
            if areShadowed && radius > 4 && source.chance(0.6) { manner.shadow = source.uniform(in: 0.15...0.6) }
            manner.isRound = radius > 5 && source.chance(0.3)
            place(shape, manner)
            remaining -= 3 * radius * radius
        }
    }

    /// A random outline of about the given radius.
    mutating func leaf(at center: SIMD2<Float>, radius: Float) -> Shape {
        let axis = Wave.direction(turns: source.uniform())
        let slenderness = source.uniform(in: 0.35...1)
        var shape: Shape =
            switch source.uniform() {
            case ..<0.5: Shape(center: center, axis: axis, outline: .ellipse(SIMD2(radius, radius * slenderness)))
            case ..<0.7: .polygon(center: center, radius: radius, from: &source)
            case ..<0.88:
                Shape(
                    center: center, axis: axis,
                    outline: .box(SIMD2(radius, radius * slenderness), corner: radius * 0.3 * source.uniform()))
            default:
                Shape(
                    center: center, axis: axis,
                    outline: .bar(halfLength: radius * 1.5, halfWidth: radius * source.uniform(in: 0.06...0.3)))
            }
        if radius > 4 && source.chance(0.45) { roughen(&shape, by: radius * source.uniform(in: 0.04...0.2)) }
        return shape
    }

    /// Gives `shape` a noisy edge that moves by about `amplitude` pixels.
    mutating func roughen(_ shape: inout Shape, by amplitude: Float) {
        shape.roughness = amplitude
        shape.isRagged = source.chance(0.35)
        shape.roughnessScale = source.uniform(in: 0.3...1.2)
        shape.roughnessOrigin = anywhere()
    }

    /// Thin curved lines that grow in about one direction: twigs, grass, hair, wires.
    mutating func growStems() {
        let color = palette.color(from: &source)
        let direction = source.uniform()
        let spread = source.chance(0.5) ? 0.04 : source.uniform() * 0.5
        let length = side * source.uniform(in: 0.08...0.5)
        let width = unit * source.uniform(in: 0.35...1.6)
        for _ in 0..<(2 + source.below(40)) {
            let shade = palette.partner(of: color, contrast: 0.08, from: &source)
            growStem(from: anywhere(), turns: direction + spread * (source.uniform() - 0.5), length: length, width: width, shade)
        }
    }

    private mutating func growStem(
        from root: SIMD2<Float>, turns: Float, length: Float, width: Float, _ color: SIMD4<Float>
    ) {
        let pieces = 7
        let step = length / Float(pieces)
        let bend = source.normal() * 0.03
        var heading = turns
        var tip = root
        for piece in 0..<pieces {
            let direction = Wave.direction(turns: heading)
            let taper = width * (1 - 0.7 * Float(piece) / Float(pieces))
            let bar = Shape(
                center: tip + direction * step / 2, axis: direction, outline: .bar(halfLength: step / 2, halfWidth: taper))
            canvas.paint(bar, softness: 1, opacity: 1, noise: noise) { _, _ in color }
            tip += direction * step
            heading += bend
        }
    }
}
