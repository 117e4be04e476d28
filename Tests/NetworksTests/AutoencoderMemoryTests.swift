import Foundation
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Networks

/// The estimate is compared with the tensors that really were alive.
@Suite struct AutoencoderMemoryTests {
    private static let patchSkip = """
        {"_class_name": "PatchSkipAutoencoderDC", "latent_channels": 8, "encoder_block_types": "ResBlock", "decoder_block_types": "ResBlock",
         "encoder_block_out_channels": [16, 16, 32, 64], "decoder_block_out_channels": [16, 16, 32, 64], "encoder_out_shortcut": false,
         "encoder_layers_per_block": [0, 1, 1, 1], "decoder_layers_per_block": [0, 1, 1, 1],
         "encoder_qkv_multiscales": [[], [], [], []], "decoder_qkv_multiscales": [[], [], [], []]}
        """

    /// A patch code alone, and a refiner behind it.
    static let refined = """
        {"_class_name": "PatchSkipAutoencoderDC", "latent_channels": 8, "encoder_out_shortcut": false, "decoder_in_shortcut": false,
         "encoder_block_out_channels": [8, 8, 8, 8], "decoder_block_out_channels": [8, 8, 8, 8], "attention_head_dim": 8,
         "encoder_layers_per_block": [0, 0, 0, 0], "decoder_layers_per_block": [0, 0, 0, 0],
         "encoder_qkv_multiscales": [[], [], [], []], "decoder_qkv_multiscales": [[], [], [], []],
         "decoder_refiner": {"factor": 4, "channels": 48, "layers": 2}}
        """

    private static let models = [
        "dcae_sana", "dcae_in", "patch skip", "refined", "kl", "kl_plain", "vq", "tiny", "tiny_silu", "tiny_pool", "tiny_stem",
    ]

    private func model(_ name: String) throws -> Autoencoder {
        guard let text = ["patch skip": Self.patchSkip, "refined": Self.refined][name] else { return try Autoencoder(directory: Fixture.path(name)) }
        let configuration = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(text.utf8))
        return Autoencoder(configuration, .random(seed: 1))
    }

    private func noise(_ shape: [Int]) -> Tensor {
        var random = RandomSource(seed: 5, stream: 5)
        var tensor = Tensor(uninitialized: shape)
        random.fill(normal: &tensor)
        return tensor
    }

    @Test(arguments: Self.models, [(64, 1), (128, 1), (128, 3)])
    func boundsTheTensorsThatAreAlive(_ name: String, _ shape: (size: Int, batch: Int)) throws {
        let model = try model(name)
        let pixels = noise([shape.batch, shape.size, shape.size, 3])
        // Once before, so that the weights are arranged.
        _ = model.decoder(model.encoder(pixels))
        let profile = ComputeProfile()
        ComputeContext.with(\.profile, profile) { _ = model.decoder(model.encoder(pixels)) }
        let estimate = AutoencoderMemory(model.configuration).liveBytes(imageSize: shape.size, batch: shape.batch)
        #expect(Double(profile.peakBytes) <= estimate)
        #expect(estimate <= 2 * Double(profile.peakBytes), "an estimate this far off would refuse what fits")
    }

    @Test(arguments: Self.models)
    func boundsATrainingStep(_ name: String) throws {
        let model = try model(name)
        let pixels = noise([2, 128, 128, 3])
        var gradient = model.zeroed()
        func step() {
            var kept = Tape.keeping
            let y = model.forward(pixels, keeping: &kept)
            _ = model.backward(y, from: &kept, into: &gradient)
        }
        step()
        let profile = ComputeProfile()
        ComputeContext.with(\.profile, profile) { step() }
        let estimate = AutoencoderMemory(model.configuration).trainingLiveBytes(imageSize: 128, batch: 2)
        #expect(Double(profile.peakBytes) <= estimate)
        #expect(estimate <= 3 * Double(profile.peakBytes))
    }

    @Test func weightsAreAtLeastThoseOfTheModel() throws {
        for name in Self.models {
            let model = try model(name)
            let numbers = model.tensors.reduce(0) { $0 + $1.tensor.count }
            let estimate = AutoencoderMemory(model.configuration).weightBytes
            #expect(estimate >= 4 * numbers && estimate <= 40 * numbers)
        }
    }

    @Test func fewerImagesAreTakenWhereMemoryIsShort() throws {
        let memory = AutoencoderMemory(try model("dcae_sana").configuration)
        let three = MemoryLimit(bytes: memory.peakBytes(imageSize: 256, batch: 3))
        #expect(try memory.largestBatch(imageSize: 256, atMost: 8, within: three) == 3)
        #expect(try memory.largestBatch(imageSize: 256, atMost: 2, within: three) == 2)
        let little = MemoryLimit(bytes: memory.peakBytes(imageSize: 256, batch: 1) - 1)
        #expect(throws: MemoryShortage.self) { try memory.largestBatch(imageSize: 256, atMost: 8, within: little) }
    }

    @Test func absurdSizesDoNotOverflow() throws {
        let memory = AutoencoderMemory(try model("dcae_sana").configuration)
        #expect(memory.peakBytes(imageSize: .max, batch: .max) == Int(1e18))
        #expect(throws: MemoryShortage.self) { try memory.checkTraining(imageSize: .max, batch: .max, within: .machine) }
    }

    @Test func aShortageIsOneLine() {
        let shortage = MemoryShortage(purpose: "an image of 8192×8192 pixels", neededBytes: 123_449_999_999, limitBytes: 24_000_000_000)
        #expect(
            shortage.description == "an image of 8192×8192 pixels would take 123.4 GB of memory in this autoencoder, there are 24.0 GB")
    }

    /// A configuration can ask for more than any machine has; nothing is allocated for it.
    @Test func weightsTooLargeForTheMachineAreRefused() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/revq-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let wide = """
            {"encoder_block_out_channels": [16384, 16384, 16384, 16384, 16384, 16384], "encoder_layers_per_block": [64, 64, 64, 64, 64, 64]}
            """
        try Data(wide.utf8).write(to: URL(fileURLWithPath: folder + "/config.json"))
        let error = #expect(throws: FileError.self) { try Autoencoder(directory: folder) }
        #expect(error?.reason.contains("the weights would take") == true)
    }
}
