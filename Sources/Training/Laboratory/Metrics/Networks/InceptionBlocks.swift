import Compute
import Files

/// The building blocks of ``InceptionNetwork``, named as in torchvision's `inception.py`.
struct InceptionBlocks {
    private static let epsilon: Float = 1e-3

    /// Tensors that no block asks for (the classifier, counters) are left alone.
    private let weights: SafetensorsFile

    init(_ weights: SafetensorsFile) {
        self.weights = weights
    }

    /// Convolution without bias, normalisation by running statistics, ReLU; the normalisation is folded into the weights.
    func convolution(
        _ name: String, _ input: Int, _ output: Int, _ kernel: RectangularConvolution.Extent, stride: Int = 1,
        padding: RectangularConvolution.Extent = (0, 0)
    ) throws(FileError) -> FeatureNode {
        let (weight, bias) = try weights.foldedConvolution(
            "\(name).conv.weight", norm: "\(name).bn", shape: [output, input, kernel.height, kernel.width], epsilon: Self.epsilon)
        return .convolution(RectangularConvolution(weight, bias: bias, stride: stride, padding: padding, activation: .relu))
    }

    /// `InceptionA`.
    func a(_ name: String, _ input: Int, pooled: Int) throws(FileError) -> FeatureNode {
        .branches([
            try convolution("\(name).branch1x1", input, 64, (1, 1)),
            .chain([
                try convolution("\(name).branch5x5_1", input, 48, (1, 1)),
                try convolution("\(name).branch5x5_2", 48, 64, (5, 5), padding: (2, 2)),
            ]),
            .chain([
                try convolution("\(name).branch3x3dbl_1", input, 64, (1, 1)),
                try convolution("\(name).branch3x3dbl_2", 64, 96, (3, 3), padding: (1, 1)),
                try convolution("\(name).branch3x3dbl_3", 96, 96, (3, 3), padding: (1, 1)),
            ]),
            .chain([.pooling(.mean), try convolution("\(name).branch_pool", input, pooled, (1, 1))]),
        ])
    }

    /// `InceptionB`: halves the picture.
    func b(_ name: String, _ input: Int) throws(FileError) -> FeatureNode {
        .branches([
            try convolution("\(name).branch3x3", input, 384, (3, 3), stride: 2),
            .chain([
                try convolution("\(name).branch3x3dbl_1", input, 64, (1, 1)),
                try convolution("\(name).branch3x3dbl_2", 64, 96, (3, 3), padding: (1, 1)),
                try convolution("\(name).branch3x3dbl_3", 96, 96, (3, 3), stride: 2),
            ]),
            .pooling(.halvingMaximum),
        ])
    }

    /// `InceptionC`: seven pixels in one direction, then in the other.
    func c(_ name: String, _ input: Int, inner: Int) throws(FileError) -> FeatureNode {
        .branches([
            try convolution("\(name).branch1x1", input, 192, (1, 1)),
            .chain([
                try convolution("\(name).branch7x7_1", input, inner, (1, 1)),
                try convolution("\(name).branch7x7_2", inner, inner, (1, 7), padding: (0, 3)),
                try convolution("\(name).branch7x7_3", inner, 192, (7, 1), padding: (3, 0)),
            ]),
            .chain([
                try convolution("\(name).branch7x7dbl_1", input, inner, (1, 1)),
                try convolution("\(name).branch7x7dbl_2", inner, inner, (7, 1), padding: (3, 0)),
                try convolution("\(name).branch7x7dbl_3", inner, inner, (1, 7), padding: (0, 3)),
                try convolution("\(name).branch7x7dbl_4", inner, inner, (7, 1), padding: (3, 0)),
                try convolution("\(name).branch7x7dbl_5", inner, 192, (1, 7), padding: (0, 3)),
            ]),
            .chain([.pooling(.mean), try convolution("\(name).branch_pool", input, 192, (1, 1))]),
        ])
    }

    /// `InceptionD`: halves the picture again.
    func d(_ name: String, _ input: Int) throws(FileError) -> FeatureNode {
        .branches([
            .chain([
                try convolution("\(name).branch3x3_1", input, 192, (1, 1)),
                try convolution("\(name).branch3x3_2", 192, 320, (3, 3), stride: 2),
            ]),
            .chain([
                try convolution("\(name).branch7x7x3_1", input, 192, (1, 1)),
                try convolution("\(name).branch7x7x3_2", 192, 192, (1, 7), padding: (0, 3)),
                try convolution("\(name).branch7x7x3_3", 192, 192, (7, 1), padding: (3, 0)),
                try convolution("\(name).branch7x7x3_4", 192, 192, (3, 3), stride: 2),
            ]),
            .pooling(.halvingMaximum),
        ])
    }

    /// `InceptionE`; the TensorFlow network takes means in the first and maxima in the second.
    func e(_ name: String, _ input: Int, pooling: Pooling) throws(FileError) -> FeatureNode {
        .branches([
            try convolution("\(name).branch1x1", input, 320, (1, 1)),
            .chain([try convolution("\(name).branch3x3_1", input, 384, (1, 1)), try cross("\(name).branch3x3_2")]),
            .chain([
                try convolution("\(name).branch3x3dbl_1", input, 448, (1, 1)),
                try convolution("\(name).branch3x3dbl_2", 448, 384, (3, 3), padding: (1, 1)),
                try cross("\(name).branch3x3dbl_3"),
            ]),
            .chain([.pooling(pooling), try convolution("\(name).branch_pool", input, 192, (1, 1))]),
        ])
    }

    /// Three pixels across beside three pixels down.
    private func cross(_ name: String) throws(FileError) -> FeatureNode {
        .branches([
            try convolution("\(name)a", 384, 384, (1, 3), padding: (0, 1)), try convolution("\(name)b", 384, 384, (3, 1), padding: (1, 0)),
        ])
    }
}

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
