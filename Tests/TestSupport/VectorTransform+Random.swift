import Compute
import Networks
import TokenizerCore

extension VectorTransform {
    /// One with random weights or a random symmetric transform, and random scales.
    package static func random(_ grouping: Grouping, _ d: Int, _ shape: LatentShape) throws -> VectorTransform {
        var transform = try VectorTransform(grouping, shape: shape, dimension: d)
        var random = RandomSource(seed: 6, stream: 0)
        if grouping.isTransform {
            let n = transform.positions * d
            var rows = Tensor(uninitialized: [2 * n, n])
            random.fill(normal: &rows)
            let matrix = SymmetricMatrix(momentsOf: rows)
            let inverse = matrix.mapEigenvalues { 1 / $0 }
            transform.transform(
                by: Tensor(matrix.values.map { Float($0) }, shape: [n, n]), inverse: Tensor(inverse.values.map { Float($0) }, shape: [n, n]))
        } else {
            transform.weight(by: Tensor((0..<shape.channels).map { _ in random.uniform(in: 0.5...2) }, shape: [shape.channels]))
        }
        transform.scale(by: Tensor((0..<transform.positions).map { _ in random.uniform(in: 0.5...2) }, shape: [transform.positions]))
        return transform
    }
}
