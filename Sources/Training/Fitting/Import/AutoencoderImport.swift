import Compute
import Files
import Networks

/// `revq-train import vae`: checks an autoencoder's folder of the diffusers layout and writes it as the one folder that everything here uses.
package struct AutoencoderImport {
    private let model: Autoencoder

    /// Reads `config.json` and the weights beside it: one safetensors file, or several with an index; or what `torch.save` wrote, one file of
    /// diffusers or a tiny autoencoder's two; fp32, fp16 or bf16.
    /// - Throws: when the configuration is of no family, or a tensor is missing, unknown, wrongly shaped or not finite.
    package init(_ directory: String) throws(FileError) {
        let configuration = try AutoencoderConfiguration(contentsOf: "\(directory)/\(Autoencoder.configurationName)")
        var model = Autoencoder(configuration, .placeholder)
        try model.load(from: DiffusersTensors(Self.weights(in: directory, of: configuration)))
        self.model = model
    }

    private static func weights(in directory: String, of configuration: AutoencoderConfiguration) throws(FileError) -> any TensorSource {
        let weights = "\(directory)/\(Autoencoder.weightsName)"
        let (index, pickled) = ("\(directory)/\(Autoencoder.weightsIndexName)", "\(directory)/\(pickledWeightsName)")
        if StoredFile.exists(weights) { return try SafetensorsFile(weights) }
        if StoredFile.exists(index) { return try ShardedSafetensors(index: index) }
        if StoredFile.exists(pickled) { return try PyTorchFile(pickled).tensors() }
        if configuration.family is TinyConfiguration, let halves = try TinyHalves(in: directory) { return halves }
        return try SafetensorsFile(weights)
    }

    /// What diffusers called its files before safetensors.
    private static let pickledWeightsName = "diffusion_pytorch_model.bin"

    /// How many numbers were learned.
    package var parameters: Int { model.tensors.filter { $0.role == .learned }.reduce(0) { $0 + $1.tensor.count } }

    /// Writes a new folder that appears whole.
    /// - Throws: when it exists already, cannot be written, or a number is too large for the precision.
    package func publish(to directory: String, precision: SafetensorsWriter.Precision) throws(FileError) {
        let staged = try StagedFolder(for: directory)
        try StoredFile.write(JSONFile.bytes(model.configuration), to: "\(staged.path)/\(Autoencoder.configurationName)")
        try model.save(to: "\(staged.path)/\(Autoencoder.weightsName)", precision: precision)
        try staged.publish()
    }
}
