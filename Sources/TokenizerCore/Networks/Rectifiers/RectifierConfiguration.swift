/// Which network corrects the quantised latents.
package struct RectifierConfiguration: Sendable, Hashable, Codable {
    package enum Network: Sendable, Hashable, Codable {
        /// The quantised latents as they are.
        case identity
        /// EfficientViT blocks at the latents' resolution; the paper's choice.
        case vit(width: Int, depth: Int, headDimension: Int, scales: [Int])
        /// Fully connected blocks over all latents of an image.
        case mlp(width: Int, depth: Int)
        /// Residual convolutions through `rank` channels.
        case cnn(width: Int, depth: Int, rank: Int)
        /// An affine map, solved for instead of trained.
        case linear(reach: LinearRectifier.Reach)

        /// Beyond these a configuration is a mistake or an attack.
        package static let largestDepth = 64, mostScales = 8

        /// Whether gradient steps train it.
        package var isTrained: Bool {
            switch self {
            case .identity, .linear: false
            case .vit, .mlp, .cnn: true
            }
        }

        /// Whether it is found in closed form.
        package var isSolved: Bool {
            if case .linear = self { true } else { false }
        }
    }

    /// The quantised latents stay as they are.
    package static let none = RectifierConfiguration(.identity, isResidual: false)

    package var network: Network
    /// Whether the network's answer is added to the quantised latents (and starts at zero) instead of replacing them.
    package var isResidual: Bool

    package init(_ network: Network, isResidual: Bool) {
        (self.network, self.isResidual) = (network, isResidual)
    }

    /// One spelling for each configuration: for fingerprints, and as a name in reports.
    package var canonicalName: String {
        let kind =
            switch network {
            case .identity: "identity"
            case .vit(let width, let depth, let headDimension, let scales): "vit \(width) \(depth) \(headDimension) \(scales)"
            case .mlp(let width, let depth): "mlp \(width) \(depth)"
            case .cnn(let width, let depth, let rank): "cnn \(width) \(depth) \(rank)"
            case .linear(reach: .neighbourhood(let size)): "linear \(size)"
            case .linear(reach: .image): "linear image"
            }
        return kind + (isResidual ? " residual" : "")
    }

    /// - Throws: what is impossible about the numbers for latents of `shape`.
    package func validate(for shape: LatentShape) throws(ConfigurationError) {
        switch network {
        case .identity: break
        case .vit(let width, let depth, let headDimension, let scales):
            guard (1...8192).contains(width), (0...Network.largestDepth).contains(depth), (1...1024).contains(headDimension),
                width % headDimension == 0
            else {
                throw ConfigurationError(
                    description:
                        "a rectifier of width \(width), depth \(depth) and heads of \(headDimension) is impossible: heads divide the width, at most 8192; the depth is at most \(Network.largestDepth)"
                )
            }
            guard width % shape.channels == 0 else {
                throw ConfigurationError(description: "a rectifier's width is a multiple of the latents' \(shape.channels) channels, not \(width)")
            }
            guard scales.count <= Network.mostScales, scales.allSatisfy({ $0 % 2 == 1 && (1...15).contains($0) }) else {
                throw ConfigurationError(
                    description: "a rectifier's scales are at most \(Network.mostScales) odd numbers up to 15, not \(scales.prefix(9))")
            }
        case .mlp(let width, let depth):
            guard (1...16_384).contains(width), (1...Network.largestDepth).contains(depth) else {
                throw ConfigurationError(description: "an MLP rectifier has a width of 1…16384 and a depth of 1…64, not \(width) and \(depth)")
            }
        case .cnn(let width, let depth, let rank):
            guard (1...8192).contains(width), (0...Network.largestDepth).contains(depth), (1...width).contains(rank) else {
                throw ConfigurationError(
                    description:
                        "a CNN rectifier has a width of 1…8192, a depth of 0…64 and a rank of at most its width, not \(width), \(depth) and \(rank)")
            }
        case .linear(reach: .neighbourhood(let size)):
            guard size % 2 == 1, (1...15).contains(size) else {
                throw ConfigurationError(description: "a linear rectifier's neighbourhood is odd and at most 15, not \(size)")
            }
        case .linear(reach: .image):
            guard shape.count <= 8192 else {
                throw ConfigurationError(description: "a linear rectifier over whole images takes at most 8192 latents, not \(shape.count)")
            }
        }
    }

    /// Why a configuration is impossible, in one line.
    package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
        package let description: String
    }
}
