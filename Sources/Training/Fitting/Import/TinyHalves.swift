import Compute
import Files

/// The two files in which the authors of TAESD publish a tiny autoencoder, `…_encoder.pth` and `…_decoder.pth`, under the names of diffusers.
///
/// Source: github.com/madebyollin/taesd, taesd.py. Its decoder numbers the soft clamp before the first convolution too, which diffusers does not.
struct TinyHalves: TensorSource {
    let path: String
    /// By the name in diffusers, the half and the name there.
    private let places: [String: (half: PyTorchTensors, name: String)]

    /// Nil where there are no such files.
    /// - Throws: when there are several of a half, or one alone, or one is no file of tensors.
    init?(in directory: String) throws(FileError) {
        let names = try StoredFolder.names(in: directory)
        let encoders = names.filter { $0.hasSuffix("encoder.pth") }
        let decoders = names.filter { $0.hasSuffix("decoder.pth") }
        if encoders.isEmpty && decoders.isEmpty { return nil }
        guard encoders.count == 1 && decoders.count == 1 else {
            throw FileError(
                directory, "one …encoder.pth and one …decoder.pth were expected, there are \(encoders.count) and \(decoders.count)")
        }
        path = directory
        let encoder = try PyTorchFile("\(directory)/\(encoders[0])").tensors()
        let decoder = try PyTorchFile("\(directory)/\(decoders[0])").tensors()
        var places: [String: (half: PyTorchTensors, name: String)] = [:]
        for name in encoder.names { places["encoder.layers.\(name)"] = (encoder, name) }
        for name in decoder.names { places["decoder.layers.\(Self.withoutClamp(name))"] = (decoder, name) }
        self.places = places
    }

    var names: Set<String> { Set(places.keys) }

    func tensor(_ name: String) throws(FileError) -> Tensor {
        guard let place = places[name] else { throw FileError(path: path, reason: "\(path) has no tensor named \(name)") }
        return try place.half.tensor(place.name)
    }

    /// `3.conv.0.weight` → `2.conv.0.weight`.
    private static func withoutClamp(_ name: String) -> String {
        let parts = name.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let number = Int(parts[0]), number > 0 else { return name }
        return "\(number - 1).\(parts[1])"
    }
}
