import Compute

/// An area of the picture with a smooth or rough edge.
struct Shape {
    enum Outline {
        /// Half axes in pixels.
        case ellipse(SIMD2<Float>)
        /// A convex polygon: unit outward normals and distances of the edges from the centre.
        case polygon([SIMD3<Float>])
        /// Half extents in pixels and corner radius.
        case box(SIMD2<Float>, corner: Float)
        /// A thick line from −x to +x of the given half length and half width.
        case bar(halfLength: Float, halfWidth: Float)
        /// Everything below the local x axis: a horizon.
        case halfPlane
    }

    var center: SIMD2<Float>
    /// The local x axis in picture coordinates.
    var axis: SIMD2<Float>
    let outline: Outline
    /// Pixels by which noise moves the edge in and out.
    var roughness: Float = 0
    /// Whether the edge is ragged at every scale (foliage, rock) rather than wavy (bodies, cloth).
    var isRagged = false
    /// Noise tile pixels per picture pixel along the edge.
    var roughnessScale: Float = 1
    /// Where this shape's edge lies in the noise tile.
    var roughnessOrigin = SIMD2<Float>.zero

    /// The half size of a box that certainly holds the shape; infinite for a half plane.
    var reach: Float {
        let plain: Float =
            switch outline {
            case .ellipse(let axes): axes.max()
            case .polygon(let edges): 2.5 * edges.reduce(0) { max($0, $1.z) }
            case .box(let extents, _): (extents * extents).sum().squareRoot()
            case .bar(let halfLength, let halfWidth): halfLength + halfWidth
            case .halfPlane: .infinity
            }
        return plain + 3 * roughness
    }

    /// `point` in the shape's own axes, in pixels from its centre.
    @inline(__always)
    func local(_ point: SIMD2<Float>) -> SIMD2<Float> {
        let offset = point - center
        return SIMD2(offset.x * axis.x + offset.y * axis.y, offset.y * axis.x - offset.x * axis.y)
    }

    /// Signed distance of `point` from the edge in pixels, negative inside; exact enough near the edge to antialias it.
    @inline(__always)
    func distance(to point: SIMD2<Float>, noise: borrowing NoiseTiles) -> Float {
        let p = local(point)
        var distance: Float
        switch outline {
        case .ellipse(let axes):
            let scaled = p / axes
            let level = (scaled * scaled).sum().squareRoot()
            let slope = (scaled / axes * (scaled / axes)).sum().squareRoot()
            distance = slope > 1e-6 ? level * (level - 1) / slope : -axes.min()
        case .polygon(let edges):
            distance = -.infinity
            for edge in edges { distance = max(distance, p.x * edge.x + p.y * edge.y - edge.z) }
        case .box(let extents, let corner):
            let q = SIMD2(abs(p.x), abs(p.y)) - extents + corner
            let outside = SIMD2(max(q.x, 0), max(q.y, 0))
            distance = (outside * outside).sum().squareRoot() + min(max(q.x, q.y), 0) - corner
        case .bar(let halfLength, let halfWidth):
            let beyond = max(abs(p.x) - halfLength, 0)
            distance = (beyond * beyond + p.y * p.y).squareRoot() - halfWidth
        case .halfPlane:
            distance = -p.y
        }
        guard roughness > 0 else { return distance }
        let place = point * roughnessScale + roughnessOrigin
        let displacement = roughness * (isRagged ? noise.natural(place) : noise.smooth(place))
        return (distance + displacement) / (1 + (isRagged ? 0.3 : 0.06) * roughness * roughnessScale)
    }
}

extension Shape {
    /// A convex polygon of 3 to 7 edges around `center`, with inner radius `radius`.
    static func polygon(center: SIMD2<Float>, radius: Float, from source: inout RandomSource) -> Shape {
        let sides = 3 + source.below(5)
        let start = source.uniform()
        let edges = (0..<sides).map { side in
            let normal = Wave.direction(turns: start + (Float(side) + 0.5 * source.uniform()) / Float(sides))
            return SIMD3(normal.x, normal.y, radius * source.uniform(in: 0.7...1))
        }
        return Shape(center: center, axis: SIMD2(1, 0), outline: .polygon(edges))
    }
}
