import Networks

/// Which elements of the latents become a token together.
///
/// A permutation of the elements, or for ``klt(side:)`` an orthogonal transform of neighbourhoods. Latents fall into equal boxes;
/// a box is one token, or with ``klt(side:)`` several.
package enum Grouping: Sendable, Hashable, Codable {
    /// Runs in C,H,W order. Source: ReVQ (arXiv 2507.10547).
    case strip
    /// Rectangles of sites in one channel.
    case block(height: Int, width: Int)
    /// Channels of one site; of several neighbouring sites where a token has more numbers than there are channels.
    case spatial
    /// All channels of side × side sites, decorrelated by the Karhunen–Loève transform of their covariance, which is taken to be the same
    /// everywhere. Each token has as many components as it has numbers, chosen so that all carry alike.
    case klt(side: Int)

    /// One spelling for each: `strip`, `block-2x4`, `spatial`, `klt-2`.
    package var name: String {
        switch self {
        case .strip: "strip"
        case .block(let height, let width): "block-\(height)x\(width)"
        case .spatial: "spatial"
        case .klt(let side): "klt-\(side)"
        }
    }

    /// The inverse of ``name``.
    package init?(name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.count == 2 ? parts[1].split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 } : []
        guard numbers.allSatisfy({ (1...Self.largestExtent).contains($0) }) else { return nil }
        switch (parts.first, parts.count, numbers.count) {
        case ("strip", 1, 0): self = .strip
        case ("spatial", 1, 0): self = .spatial
        case ("block", 2, 2): self = .block(height: numbers[0], width: numbers[1])
        case ("klt", 2, 1): self = .klt(side: numbers[0])
        default: return nil
        }
    }

    /// Among the rectangles of `d` sites in one channel that fit, the one nearest to a square, lying rather than standing; nil where none fits.
    package static func squarestBlock(of d: Int, for shape: LatentShape) -> Grouping? {
        let heights = (1...max(1, min(d, shape.height))).filter { d % $0 == 0 && block(height: $0, width: d / $0).box(for: shape, d: d) != nil }
        return heights.min { abs(d / $0 - $0) < abs(d / $1 - $1) }.map { .block(height: $0, width: d / $0) }
    }

    private static let largestExtent = 8192
    /// A transform of more elements is slower than the networks around it, and its covariance is not measured well.
    static let largestTransform = 1024

    /// The box of one neighbourhood: what a token is made of, or with ``klt(side:)`` the transform's argument.
    ///
    /// - Parameter d: numbers per token.
    /// - Returns: nil where latents of this shape do not fall into such boxes.
    func box(for shape: LatentShape, d: Int) -> LatentBox? {
        let sites = shape.height * shape.width
        let (channels, height, width) =
            switch self {
            case .strip where d <= shape.width: (1, 1, d)
            case .strip where d <= sites: (1, d / shape.width, shape.width)
            case .strip: (d / sites, shape.height, shape.width)
            case .block(let height, let width): (1, height, width)
            case .spatial where d <= shape.channels: (d, 1, 1)
            case .spatial: (shape.channels, 1, d / shape.channels)
            case .klt(let side): (shape.channels, side, side)
            }
        let box = LatentBox(shape: shape, channels: channels, height: height, width: width)
        return box.isWhole && box.count % d == 0 && (isTransform || box.count == d) ? box : nil
    }

    /// Whether elements are mixed, and not only rearranged.
    package var isTransform: Bool {
        if case .klt = self { true } else { false }
    }

    /// How many tokens lie at one place: channels, sets of channels, or sets of components.
    /// - Precondition: ``problem(for:d:)`` is nil.
    package func positions(of shape: LatentShape, d: Int) -> Int {
        guard let box = box(for: shape, d: d) else { preconditionFailure("\(shape) has no \(name) groups of \(d)") }
        return shape.count / d / box.places
    }

    /// What is impossible about tokens of `d` numbers, if anything.
    package func problem(for shape: LatentShape, d: Int) -> String? {
        let latents = "\(shape.channels)×\(shape.height)×\(shape.width) latents"
        guard let box = box(for: shape, d: d) else {
            let other = if case .block = self { Self.squarestBlock(of: d, for: shape) } else { nil as Grouping? }
            return "\(latents) cannot be cut into \(name) groups of \(d)" + (other.map { "; \($0.name) would fit" } ?? "")
        }
        guard !isTransform || box.count <= Self.largestTransform else {
            return "a \(name) transform of \(latents) has \(box.count) elements, at most \(Self.largestTransform) are possible"
        }
        return nil
    }
}
