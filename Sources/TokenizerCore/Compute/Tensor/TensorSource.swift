import Files

/// Named tensors in a file, or in several, that a layer can be loaded from.
package protocol TensorSource {
    /// Where they are, for messages.
    var path: String { get }
    /// The names of all tensors.
    var names: Set<String> { get }
    /// The tensor of that name as 32-bit floats.
    /// - Throws: when there is no such tensor, or it does not hold floats.
    func tensor(_ name: String) throws(FileError) -> Tensor
}

extension TensorSource {
    /// The tensor of that name, which must have this shape and hold finite numbers only.
    package func tensor(_ name: String, shape: [Int]) throws(FileError) -> Tensor {
        let tensor = try tensor(name)
        guard tensor.shape == shape else {
            throw FileError(path, "tensor \(name) has shape \(tensor.shape), the configuration needs \(shape)")
        }
        guard tensor.isFinite else { throw FileError(path, "tensor \(name) holds NaN or infinite values") }
        tensor.releasePages()
        return tensor
    }
}
