import TokenizerCore

/// The weights of a published classifier, read strictly: each tensor by its name, with the shape that the architecture needs.
///
/// Tensors that no layer asks for (classifier heads, counters) are left alone.
struct FeatureWeights {
    let file: SafetensorsFile

    init(_ path: String) throws(FileError) {
        file = try SafetensorsFile(path)
    }

    func tensor(_ name: String, _ shape: [Int]) throws(FileError) -> Tensor {
        let tensor = try file.tensor(name)
        guard tensor.shape == shape else {
            throw FileError(path: file.path, reason: "\(file.path): tensor \(name) has shape \(tensor.shape), \(shape) was expected")
        }
        guard tensor.isFinite else { throw FileError(path: file.path, reason: "\(file.path): tensor \(name) holds NaN or infinite values") }
        return tensor
    }
}
