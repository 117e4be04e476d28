import Compute
import Files
import Glibc

/// Pixels → latents → pixels, by the networks of one family.
package struct Autoencoder: Layer {
    package let configuration: AutoencoderConfiguration
    /// Pixels in −1 … 1 → latents.
    package var encoder: AnyLayer
    /// Latents → pixels, about −1 … 1.
    package var decoder: AnyLayer

    package init(_ configuration: AutoencoderConfiguration, _ initializer: Initializer) {
        var initializer = initializer
        self.configuration = configuration
        encoder = configuration.family.encoder(&initializer)
        decoder = configuration.family.decoder(&initializer)
    }

    /// The names that a folder of the diffusers layout has.
    package static let configurationName = "config.json"
    package static let weightsName = "diffusion_pytorch_model.safetensors"
    /// In the place of the weights where they are in several files.
    package static let weightsIndexName = weightsName + ".index.json"

    /// The weights' file in a folder of the diffusers layout.
    /// - Throws: when they are in several files, which only an import reads.
    package static func weightsPath(in directory: String) throws(FileError) -> String {
        let path = "\(directory)/\(weightsName)"
        guard access(path, F_OK) == 0 || access("\(directory)/\(weightsIndexName)", F_OK) != 0 else {
            throw FileError(directory, "its weights are in several files: join them with revq-train import vae, and name the folder that it makes")
        }
        return path
    }

    /// Reads a folder of the diffusers layout; 32-bit weights stay in the mapped file.
    /// - Throws: when the configuration or a tensor is missing, malformed or not finite, or the weights are too large for this machine.
    /// - Precondition: `precision` has no ``Precision/obstacle``.
    package init(directory: String, precision: Precision = .float32) throws(FileError) {
        try self.init(placeholder: AutoencoderConfiguration(contentsOf: directory + "/" + Self.configurationName), precision, of: directory)
        try load(from: DiffusersTensors(SafetensorsFile(Self.weightsPath(in: directory))))
    }

    /// One whose numbers are loaded next.
    /// - Parameter directory: where they are, for messages.
    /// - Throws: when the weights are too large for this machine.
    /// - Precondition: `precision` has no ``Precision/obstacle``.
    package init(placeholder configuration: AutoencoderConfiguration, _ precision: Precision, of directory: String) throws(FileError) {
        do throws(MemoryShortage) {
            try AutoencoderMemory(configuration).checkWeights(within: .machine)
        } catch {
            throw FileError(directory, "\(error)")
        }
        self.init(configuration, .placeholder.computing(in: precision))
    }

    /// - Parameter pixels: `[n, h, w, 3]` in −1 … 1; the factor divides h and w.
    package func encode(_ pixels: consuming Tensor) -> Latents { Latents(encoder(pixels)) }

    /// - Returns: `[n, h·factor, w·factor, 3]`, about −1 … 1.
    package func decode(_ latents: consuming Latents) -> Tensor { decoder(latents.map) }

    /// Pixels → pixels through the latents.
    package func forward(_ x: consuming Tensor, keeping kept: inout Tape) -> Tensor {
        decoder.forward(encoder.forward(x, keeping: &kept), keeping: &kept)
    }

    package func backward(_ dy: consuming Tensor, from kept: inout Tape, into gradient: inout Autoencoder) -> Tensor {
        encoder.backward(decoder.backward(dy, from: &kept, into: &gradient.decoder), from: &kept, into: &gradient.encoder)
    }

    package mutating func visit(_ path: ParameterPath, _ visitor: ParameterVisitor) {
        encoder.visit(path / "encoder", visitor)
        decoder.visit(path / "decoder", visitor)
    }
}
