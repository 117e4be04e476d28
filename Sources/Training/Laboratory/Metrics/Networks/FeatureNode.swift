import Compute

/// A part of a classifier that is only used for its features, as a tree: runs of layers, and branches whose results are joined.
indirect enum FeatureNode: Sendable {
    case convolution(RectangularConvolution)
    case pooling(Pooling)
    /// One after the other.
    case chain([FeatureNode])
    /// All from the same input, joined channel after channel.
    case branches([FeatureNode])

    /// - Parameter x: `[n, h, w, c]`.
    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .convolution(let convolution): convolution(x)
        case .pooling(let pooling): pooling(x)
        case .chain(let nodes): nodes.reduce(x) { $1($0) }
        case .branches(let nodes): Tensor.concatenatingChannels(nodes.map { $0(x) })
        }
    }
}
