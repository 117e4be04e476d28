import Compute
import Networks

/// The reversible linear map between an image's latents and the vectors of d numbers that codes stand for.
///
/// Elements are gathered by a ``Grouping``, weighted by what the decoder feels or transformed, and each group position (the tokens of one
/// box channel, or one set of components) is divided by its own scale. Squared distances between vectors, times the squared scale, are then
/// the distortion that is to be small, so that the nearest code is the best one.
package struct VectorTransform: Parameterized {
    package let grouping: Grouping
    package let shape: LatentShape
    /// d: numbers per token.
    package let dimension: Int
    private let box: LatentBox
    /// See ``LatentBox/order``.
    private let order: [Int32]

    private enum Map: Sendable {
        /// What each channel is multiplied by, `[C]`.
        case weights(Tensor)
        /// `[n, n]` each for a box of n elements: a row of `analysis` gives a component, a row of `synthesis` an element.
        case linear(analysis: Tensor, synthesis: Tensor)
    }
    private var map: Map
    private static let inverseTolerance = 1e-2
    /// What each group position's vectors are divided by, `[positions]`.
    package private(set) var scales: Tensor

    /// A transform that only rearranges, or a placeholder for one that is loaded.
    /// - Throws: when latents of `shape` cannot be grouped so.
    package init(_ grouping: Grouping, shape: LatentShape, dimension: Int) throws(GroupQuantizer.LayoutError) {
        if let problem = grouping.problem(for: shape, d: dimension) { throw GroupQuantizer.LayoutError(description: problem) }
        (self.grouping, self.shape, self.dimension) = (grouping, shape, dimension)
        let box = grouping.box(for: shape, d: dimension)!
        self.box = box
        order = box.order.map { Int32($0) }
        if grouping.isTransform {
            let identity = Tensor((0..<box.count * box.count).map { $0 % (box.count + 1) == 0 ? 1 : 0 }, shape: [box.count, box.count])
            map = .linear(analysis: identity, synthesis: identity)
        } else {
            map = .weights(Tensor(repeating: 1, shape: [shape.channels]))
        }
        scales = Tensor(repeating: 1, shape: [grouping.positions(of: shape, d: dimension)])
    }

    /// - Parameter weights: what each channel is multiplied by, `[C]`, positive.
    /// - Precondition: the grouping is a permutation.
    package mutating func weight(by weights: Tensor) {
        precondition(!grouping.isTransform && weights.shape == [shape.channels], "weights of \(weights.shape) for \(grouping) of \(shape)")
        map = .weights(weights)
    }

    /// - Parameters:
    ///   - analysis: `[n, n]`, a component per row, those of a token after each other.
    ///   - synthesis: its inverse.
    /// - Precondition: the grouping is a transform.
    package mutating func transform(by analysis: Tensor, inverse synthesis: Tensor) {
        precondition(grouping.isTransform && analysis.shape == [box.count, box.count] && synthesis.shape == analysis.shape)
        map = .linear(analysis: analysis, synthesis: synthesis)
    }

    /// - Parameter scales: what each position's vectors are divided by, `[positions]`, positive.
    package mutating func scale(by scales: Tensor) {
        precondition(scales.shape == self.scales.shape, "scales of \(scales.shape) for \(positions) positions")
        self.scales = scales
    }

    /// The same map for latents of another height and width.
    func resized(to shape: LatentShape) throws(GroupQuantizer.LayoutError) -> VectorTransform {
        var other = try VectorTransform(grouping, shape: shape, dimension: dimension)
        (other.map, other.scales) = (map, scales)
        return other
    }

    /// Tokens that lie at one place differ in their position: channels, sets of channels, or sets of components.
    package var positions: Int { scales.count }
    /// Tokens of one position.
    package var places: Int { box.places }

    /// How much a squared difference in the vectors of each position weighs in the distortion: the squared scale.
    package var importance: [Float] { scales.values.map { $0 * $0 } }

    /// - Parameter latents: normalised.
    /// - Returns: `[n, G·d]`, position after position, the places of each in raster order.
    package func vectors(_ latents: Latents) -> Tensor {
        switch map {
        case .weights(let weights):
            return gathered(latents, gains(weights))
        case .linear(let analysis, _):
            return arranged(multiplied(gathered(latents, nil), by: analysis), toVectors: true, scales.values.map { 1 / $0 })
        }
    }

    /// The inverse of ``vectors(_:)``.
    package func latents(_ vectors: Tensor) -> Latents {
        switch map {
        case .weights(let weights):
            return scattered(vectors, gains(weights).map { 1 / $0 })
        case .linear(_, let synthesis):
            return scattered(multiplied(arranged(vectors, toVectors: false, scales.values), by: synthesis), nil)
        }
    }

    /// The gradient for vectors, given the one for the latents that ``latents(_:)`` makes of them: its transposed map.
    package func gradient(_ dlatents: Latents) -> Tensor {
        switch map {
        case .weights(let weights):
            return gathered(dlatents, gains(weights).map { 1 / $0 })
        case .linear(_, let synthesis):
            let transposed = synthesis.swappingInnerAxes(outer: 1, box.count, box.count)
            return arranged(multiplied(gathered(dlatents, nil), by: transposed), toVectors: true, scales.values)
        }
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        switch map {
        case .weights(var weights):
            visitor(path / "weights", .fixed, &weights)
            map = .weights(weights)
        case .linear(var analysis, var synthesis):
            visitor(path / "analysis", .fixed, &analysis)
            visitor(path / "synthesis", .fixed, &synthesis)
            map = .linear(analysis: analysis, synthesis: synthesis)
        }
        visitor(path / "scales", .fixed, &scales)
    }

    /// What makes loaded numbers no transform, if anything.
    var problem: String? {
        if !scales.values.allSatisfy({ $0 > 0 }) { return "a group's scale is not positive" }
        switch map {
        case .weights(let weights):
            return weights.values.allSatisfy { $0 > 0 } ? nil : "a channel's weight is not positive"
        case .linear(let analysis, let synthesis):
            let product = SymmetricMatrix.product(synthesis.values.map(Double.init), analysis.values.map(Double.init), box.count)
            let isInverse = product.indices.allSatisfy { abs(product[$0] - ($0 % (box.count + 1) == 0 ? 1 : 0)) < Self.inverseTolerance }
            return isInverse ? nil : "its synthesis is not the inverse of its analysis"
        }
    }

    /// What each gathered element is multiplied by.
    private func gains(_ weights: Tensor) -> [Float] {
        let (weights, scales, channels) = (weights.values, scales.values, shape.channels)
        let perPosition = order.count / positions
        return order.indices.map { weights[Int(order[$0]) % channels] / scales[$0 / perPosition] }
    }

    /// - Returns: `[n, C·H·W]`, box after box.
    private func gathered(_ latents: Latents, _ gains: [Float]?) -> Tensor {
        precondition(latents.shape == shape, "a transform of \(shape) got \(latents.shape)")
        return mapImages(latents.map.reshaped([latents.count, shape.count])) { source, target in
            for (i, element) in order.enumerated() { target[i] = source[Int(element)] * (gains?[i] ?? 1) }
        }
    }

    private func scattered(_ elements: Tensor, _ gains: [Float]?) -> Latents {
        let map = mapImages(elements) { source, target in
            for (i, element) in order.enumerated() { target[Int(element)] = source[i] * (gains?[i] ?? 1) }
        }
        return Latents(map.reshaped([elements.n] + shape.map))
    }

    /// Between `[places][position][d]` and `[position][places][d]`, each position multiplied by its gain.
    private func arranged(_ elements: Tensor, toVectors: Bool, _ gains: [Float]) -> Tensor {
        let d = dimension
        return mapImages(elements) { source, target in
            for place in 0..<places {
                for position in 0..<positions {
                    let (inBox, inVectors) = ((place * positions + position) * d, (position * places + place) * d)
                    let (from, to) = toVectors ? (inBox, inVectors) : (inVectors, inBox)
                    for j in 0..<d { target[to + j] = source[from + j] * gains[position] }
                }
            }
        }
    }

    /// Each box's elements times the transposed matrix.
    private func multiplied(_ elements: Tensor, by matrix: Tensor) -> Tensor {
        let n = box.count
        return matrix.withPointer { matrix in
            mapImages(elements) { source, target in
                MatrixProduct.multiply(
                    MatrixView(base: source, stride: n), MatrixView(base: matrix, stride: n).transposed, into: target, stride: n, m: places, n: n,
                    k: n)
            }
        }
    }

    /// A tensor of the same images, each filled by `body`.
    private func mapImages(_ images: Tensor, _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void) -> Tensor {
        let count = shape.count
        precondition(images.c == count, "a transform of \(shape) got \(images.shape)")
        var result = Tensor(uninitialized: images.shape)
        result.withMutablePointer { target in
            images.withPointer { source in
                Workers.forEach(images.rows) { body(source + $0 * count, target + $0 * count) }
            }
        }
        return result
    }
}
