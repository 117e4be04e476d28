import Compute
import Networks

extension GroupQuantizer {
    /// The same codes for latents of another height and width, with as many more or fewer tokens.
    ///
    /// - Throws: when codes belong to sites and not to channels or components, or the new extents cannot be grouped.
    package func resized(from shape: LatentShape, to other: LatentShape) throws(LayoutError) -> GroupQuantizer {
        let (grouping, d) = (layout.grouping ?? .strip, layout.dimension)
        for shape in [shape, other] {
            if let problem = grouping.problem(for: shape, d: d) { throw LayoutError(description: problem) }
        }
        let positions = grouping.positions(of: shape, d: d)
        guard positions % layout.codebooks == 0, positions == grouping.positions(of: other, d: d) else {
            throw LayoutError(description: "its \(layout.codebooks) codebooks belong to places in the image: only codes that a channel's tokens share hold at another size")
        }
        let resized = try Layout(
            tokens: other.count / d, codes: layout.codes, latents: other.count, codebooks: layout.codebooks, grouping: layout.grouping)
        return GroupQuantizer(resized, transform: try transform?.resized(to: other), codebooks: codebooks)
    }
}

extension LatentNormalizer {
    /// The same statistics for latents of another height and width; nil where they differ between the sites of a channel.
    package func resized(from shape: LatentShape, to other: LatentShape) -> LatentNormalizer? {
        func spread(_ statistics: Tensor) -> Tensor? {
            let (values, sites) = (statistics.values, shape.height * shape.width)
            let channels = (0..<shape.channels).map { values[$0 * sites..<($0 + 1) * sites] }
            guard channels.allSatisfy({ Set($0).count == 1 }) else { return nil }
            return Tensor(channels.flatMap { repeatElement($0.first!, count: other.height * other.width) }, shape: [other.count])
        }
        guard shape.channels == other.channels, let mean = spread(mean), let deviation = spread(deviation) else { return nil }
        return LatentNormalizer(mean: mean, deviation: deviation)
    }
}
