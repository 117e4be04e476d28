import Compute
import Files
import Networks

/// `revq-train import vae`: checks an autoencoder's folder of the diffusers layout and writes it as the one folder that everything here uses.
package struct AutoencoderImport {
    private let model: Autoencoder

    /// Reads `config.json` and the weights beside it: one safetensors file, or several with an index; fp32, fp16 or bf16.
    /// - Throws: when the configuration is of no family, or a tensor is missing, unknown, wrongly shaped or not finite.
    package init(_ directory: String) throws(FileError) {
        var model = Autoencoder(try AutoencoderConfiguration(contentsOf: "\(directory)/\(Autoencoder.configurationName)"), .placeholder)
        let weights = "\(directory)/\(Autoencoder.weightsName)"
        let index = "\(directory)/\(Autoencoder.weightsIndexName)"
        if !StoredFile.exists(weights) && StoredFile.exists(index) {
            try model.load(from: DiffusersTensors(ShardedSafetensors(index: index)))
        } else {
            try model.load(from: DiffusersTensors(SafetensorsFile(weights)))
        }
        self.model = model
    }

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
