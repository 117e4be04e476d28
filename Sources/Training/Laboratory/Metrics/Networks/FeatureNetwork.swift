import Compute
import Files
import Images

/// A classifier without its last layer: what it makes of a picture, averaged over places.
package protocol FeatureNetwork: Sendable {
    /// Numbers per picture.
    static var features: Int { get }

    /// - Parameter image: of any size.
    /// - Returns: `[1, h, w, features]`, before the average.
    func map(of image: RGBImage) -> Tensor
}

extension FeatureNetwork {
    /// The pooled features of one picture: `[features]`.
    package func features(of image: RGBImage) -> Tensor {
        let map = map(of: image)
        var sums = [Double](repeating: 0, count: map.c)
        map.withPointer { x in
            for i in 0..<map.count { sums[i % sums.count] += Double(x[i]) }
        }
        return Tensor(sums.map { Float($0 / Double(map.rows)) }, shape: [map.c])
    }
}

extension SafetensorsFile {
    /// A convolution without bias and the normalisation by running statistics behind it, as one convolution.
    ///
    /// - Parameters:
    ///   - name: of the tensor of its weights.
    ///   - norm: of the normalisation.
    ///   - shape: of the weights, outputs first.
    func foldedConvolution(_ name: String, norm: String, shape: [Int], epsilon: Float) throws(FileError) -> (weight: Tensor, bias: Tensor) {
        let outputs = shape[0]
        var weight = try tensor(name, shape: shape)
        let gain = try tensor("\(norm).weight", shape: [outputs]).values
        let offset = try tensor("\(norm).bias", shape: [outputs]).values
        let mean = try tensor("\(norm).running_mean", shape: [outputs]).values
        let variance = try tensor("\(norm).running_var", shape: [outputs]).values
        guard variance.allSatisfy({ $0 >= 0 }) else {
            throw FileError(path: path, reason: "\(path): tensor \(norm).running_var holds a negative variance")
        }
        let scale = zip(gain, variance).map { $0 / ($1 + epsilon).squareRoot() }
        let perOutput = weight.count / outputs
        weight.withMutablePointer { for i in 0..<outputs * perOutput { $0[i] *= scale[i / perOutput] } }
        return (weight, Tensor((0..<outputs).map { offset[$0] - mean[$0] * scale[$0] }, shape: [outputs]))
    }
}
