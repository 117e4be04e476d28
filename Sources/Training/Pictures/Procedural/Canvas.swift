/// A picture being painted, back to front. Components are sRGB, nominally 0…1 and not yet clipped.
struct Canvas {
    let side: Int
    /// `side × side`, row-major; the fourth lane is unused.
    private(set) var pixels: [SIMD4<Float>]

    init(side: Int) {
        self.side = side
        pixels = [SIMD4<Float>](repeating: .zero, count: side * side)
    }

    /// Paints `shape` over what is there.
    /// - Parameters:
    ///   - softness: the width of its edge in pixels; 1 is antialiased, more is out of focus.
    ///   - opacity: 0…1.
    ///   - color: the colour at a point, given its distance inside the edge (negative).
    @inline(__always)
    mutating func paint(
        _ shape: borrowing Shape, softness: Float, opacity: Float, noise: borrowing NoiseTiles,
        color: (SIMD2<Float>, Float) -> SIMD4<Float>
    ) {
        let reach = shape.reach + softness
        guard let rows = span(shape.center.y, reach), let columns = span(shape.center.x, reach) else { return }
        let sharpness = 1 / softness
        for y in rows {
            for x in columns {
                let point = SIMD2(Float(x) + 0.5, Float(y) + 0.5)
                let distance = shape.distance(to: point, noise: noise)
                let coverage = min(1, 0.5 - distance * sharpness) * opacity
                guard coverage > 0 else { continue }
                let index = y * side + x
                pixels[index] += (color(point, distance) - pixels[index]) * coverage
            }
        }
    }

    /// Replaces each pixel by a function of its position and colour.
    @inline(__always)
    mutating func map(_ transform: (SIMD2<Float>, SIMD4<Float>) -> SIMD4<Float>) {
        for y in 0..<side {
            for x in 0..<side {
                let index = y * side + x
                pixels[index] = transform(SIMD2(Float(x) + 0.5, Float(y) + 0.5), pixels[index])
            }
        }
    }

    private func span(_ center: Float, _ reach: Float) -> Range<Int>? {
        let low = max(0, center - reach)
        let high = min(Float(side), center + reach + 1)
        return low < high ? Int(low)..<Int(high) : nil
    }
}

extension Canvas {
    /// A mild blur, as of a lens or of downscaling: the kernel [s, 1 − 2s, s] along both axes, s in 0…1/3.
    mutating func soften(_ s: Float) {
        let last = side - 1
        let source = pixels
        var across = source
        for y in 0...last {
            let row = y * side
            for x in 0...last {
                let neighbours = source[row + max(x - 1, 0)] + source[row + min(x + 1, last)]
                across[row + x] = source[row + x] * (1 - 2 * s) + neighbours * s
            }
        }
        for y in 0...last {
            let above = max(y - 1, 0) * side
            let below = min(y + 1, last) * side
            for x in 0...last {
                pixels[y * side + x] = across[y * side + x] * (1 - 2 * s) + (across[above + x] + across[below + x]) * s
            }
        }
    }

    /// A strong blur, as of a background far out of focus: three box filters of the given half width in pixels.
    mutating func defocus(_ radius: Int) {
        guard radius >= 1 else { return }
        for _ in 0..<3 {
            boxFilter(radius, step: 1, lineStep: side)
            boxFilter(radius, step: side, lineStep: 1)
        }
    }

    private mutating func boxFilter(_ radius: Int, step: Int, lineStep: Int) {
        let last = side - 1
        let scale = 1 / Float(2 * radius + 1)
        let source = pixels
        for line in 0...last {
            let start = line * lineStep
            var sum = source[start] * Float(radius + 1)
            for i in 0..<radius { sum += source[start + min(i, last) * step] }
            for i in 0...last {
                sum += source[start + min(i + radius, last) * step]
                pixels[start + i * step] = sum * scale
                sum -= source[start + max(i - radius, 0) * step]
            }
        }
    }
}
