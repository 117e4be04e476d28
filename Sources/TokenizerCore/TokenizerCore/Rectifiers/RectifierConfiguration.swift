/// Which network corrects the quantised latents.
public struct RectifierConfiguration: Sendable, Hashable, Codable {
    public enum Network: Sendable, Hashable, Codable {
        /// The quantised latents as they are.
        case identity
        /// EfficientViT blocks at the latents' resolution; the paper's choice.
        case vit(width: Int, depth: Int, headDimension: Int, scales: [Int])
        /// Fully connected blocks over all latents of an image.
        case mlp(width: Int, depth: Int)
    }

    public var network: Network
    /// Whether the network's answer is added to the quantised latents (and starts at zero) instead of replacing them.
    public var isResidual: Bool

    public init(_ network: Network, isResidual: Bool) {
        (self.network, self.isResidual) = (network, isResidual)
    }

    /// - Throws: what is impossible about the numbers for latents of `shape`.
    public func validate(for shape: LatentShape) throws(ConfigurationError) {
        switch network {
        case .identity: break
        case .vit(let width, let depth, let headDimension, let scales):
            guard (1...8192).contains(width), (0...64).contains(depth), (1...1024).contains(headDimension), width % headDimension == 0 else {
                throw ConfigurationError(description: "a rectifier of width \(width), depth \(depth) and heads of \(headDimension) is impossible: heads divide the width, at most 8192; the depth is at most 64")
            }
            guard width % shape.channels == 0 else {
                throw ConfigurationError(description: "a rectifier's width is a multiple of the latents' \(shape.channels) channels, not \(width)")
            }
            guard scales.allSatisfy({ $0 % 2 == 1 && (1...15).contains($0) }) else {
                throw ConfigurationError(description: "a rectifier's scales are odd and at most 15, not \(scales)")
            }
        case .mlp(let width, let depth):
            guard (1...16_384).contains(width), (1...64).contains(depth) else {
                throw ConfigurationError(description: "an MLP rectifier has a width of 1…16384 and a depth of 1…64, not \(width) and \(depth)")
            }
        }
    }

    /// Why a configuration is impossible, in one line.
    public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
        public let description: String
    }
}
