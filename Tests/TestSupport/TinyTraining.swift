import Compute
import Files
import Fitting
import FoundationEssentials
import Jobs
import Networks
import Pictures
import TokenizerCore

/// The smallest things to train on and with.
package enum TinyTraining {
    package typealias Place = (pictures: String, vae: String)

    /// Deals the first six pictures to choosing, training, reporting, training, training and reporting, and two more to training.
    package static let split = Split(choosing: 15, reporting: 25, seed: 3152)!

    package static func pictures(in folder: String, count: Int = 6) throws -> String {
        _ = try Synthesis(directory: folder + "/pictures", count: count, size: 32, seed: 4).run(.silent)
        return folder + "/pictures"
    }

    /// A network of a few thousand parameters: factor 4, 48 latent channels.
    package static func architecture() throws -> AutoencoderConfiguration {
        let json = """
            {"_class_name": "PatchSkipAutoencoderDC", "encoder_out_shortcut": false, "latent_channels": 48, "attention_head_dim": 8,
             "encoder_block_types": "ResBlock", "decoder_block_types": "ResBlock",
             "encoder_block_out_channels": [8, 12, 48], "decoder_block_out_channels": [8, 12, 48],
             "encoder_layers_per_block": [0, 1, 1], "decoder_layers_per_block": [0, 1, 1],
             "encoder_qkv_multiscales": [[], [], []], "decoder_qkv_multiscales": [[], [], []]}
            """
        return try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(json.utf8))
    }

    /// Six pictures of 32 × 32, or as many as are asked for, and a random autoencoder.
    package static func place(in folder: String, count: Int = 6) throws -> Place {
        (try pictures(in: folder, count: count), try vae(in: folder + "/vae", seed: 1))
    }

    package static func extraction(
        _ place: Place, to directory: String, precision: SafetensorsWriter.Precision = .float32, crops: CropPlan = .centre,
        split: Split? = split, console: Console = .silent
    ) throws -> LatentExtraction {
        try LatentExtraction(
            to: directory, images: place.pictures, vae: place.vae, size: 32, precision: precision, crops: crops, split: split, console: console)
    }

    /// Copies a folder of files.
    package static func copy(_ source: String, to target: String) throws {
        try StoredFolder.create(target)
        for name in try StoredFolder.names(in: source) {
            if StoredFolder.exists("\(source)/\(name)") {
                try copy("\(source)/\(name)", to: "\(target)/\(name)")
            } else {
                try StoredFile.write(StoredFile.read("\(source)/\(name)"), to: "\(target)/\(name)", .relaxed)
            }
        }
    }

    package static func vae(in directory: String, seed: UInt64) throws -> String {
        let model = Autoencoder(try architecture(), .random(seed: seed))
        try StoredFolder.create(directory)
        try StoredFile.write(JSONFile.bytes(model.configuration), to: "\(directory)/\(Autoencoder.configurationName)")
        try model.save(to: "\(directory)/\(Autoencoder.weightsName)")
        return directory
    }
}
