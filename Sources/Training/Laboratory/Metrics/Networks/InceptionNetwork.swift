import Compute
import Files
import Images

/// The Inception-v3 that Fréchet and kernel distances are defined by: the TensorFlow network of 2015-12-05, up to its 2,048 pooled features.
///
/// Weights are a safetensors file with the names of pytorch-fid's and torch-fidelity's `pt_inception-2015-12-05-6726825d.pth`, made by
/// `python -c "import torch, safetensors.torch as s; s.save_file({k: v.contiguous() for k, v in
/// torch.load('pt_inception-2015-12-05-6726825d.pth').items()}, 'inception.safetensors')"`.
///
/// Source: torch-fidelity, `feature_extractor_inceptionv3.py`; Szegedy et al., "Rethinking the Inception Architecture" (2016).
package struct InceptionNetwork: FeatureNetwork {
    package static let features = 2048
    private static let side = 299

    private let network: FeatureNode

    /// - Throws: when the file cannot be read, or a tensor is missing or has another shape.
    package init(_ path: String) throws(FileError) {
        let blocks = InceptionBlocks(try SafetensorsFile(path))
        network = .chain([
            try blocks.convolution("Conv2d_1a_3x3", 3, 32, (3, 3), stride: 2),
            try blocks.convolution("Conv2d_2a_3x3", 32, 32, (3, 3)),
            try blocks.convolution("Conv2d_2b_3x3", 32, 64, (3, 3), padding: (1, 1)),
            .pooling(.halvingMaximum),
            try blocks.convolution("Conv2d_3b_1x1", 64, 80, (1, 1)),
            try blocks.convolution("Conv2d_4a_3x3", 80, 192, (3, 3)),
            .pooling(.halvingMaximum),
            try blocks.a("Mixed_5b", 192, pooled: 32),
            try blocks.a("Mixed_5c", 256, pooled: 64),
            try blocks.a("Mixed_5d", 288, pooled: 64),
            try blocks.b("Mixed_6a", 288),
            try blocks.c("Mixed_6b", 768, inner: 128),
            try blocks.c("Mixed_6c", 768, inner: 160),
            try blocks.c("Mixed_6d", 768, inner: 160),
            try blocks.c("Mixed_6e", 768, inner: 192),
            try blocks.d("Mixed_7a", 768),
            try blocks.e("Mixed_7b", 1280, pooling: .mean),
            try blocks.e("Mixed_7c", 2048, pooling: .maximum),
        ])
    }

    package func map(of image: RGBImage) -> Tensor { network(Self.input(image)) }

    /// `[1, 299, 299, 3]` in about −1 … 1, resized as TensorFlow 1 does: bilinear without antialiasing, corners at whole pixels.
    static func input(_ image: RGBImage) -> Tensor {
        let (rows, columns) = (Self.taps(image.height), Self.taps(image.width))
        var values: [Float] = []
        values.reserveCapacity(side * side * 3)
        for row in rows {
            for column in columns {
                for channel in 0..<3 {
                    func pixel(_ y: Int, _ x: Int) -> Float { Float(image.pixels[(y * image.width + x) * 3 + channel]) }
                    let top = pixel(row.low, column.low) * (1 - column.share) + pixel(row.low, column.high) * column.share
                    let bottom = pixel(row.high, column.low) * (1 - column.share) + pixel(row.high, column.high) * column.share
                    values.append((top * (1 - row.share) + bottom * row.share - 128) / 128)
                }
            }
        }
        return Tensor(values, shape: [1, side, side, 3])
    }

    /// For each place of the resized axis: the two it lies between, and how near it is to the second.
    private static func taps(_ count: Int) -> [(low: Int, high: Int, share: Float)] {
        (0..<side).map { index in
            let place = Float(index) * (Float(count) / Float(side))
            let low = min(Int(place), count - 1)
            return (low, min(low + 1, count - 1), place - Float(low))
        }
    }
}
