import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Laboratory
@testable import Networks
@testable import TokenizerCore

/// The files were written by `torch.save` and diffusers.
@Suite struct PublishedQuantizerTests {
    private static let published = Fixture.path("published")

    @Test func aShardedAutoencoderBecomesOneFolder() throws {
        try withScratchFolder { folder in
            let vae = folder + "/vae"
            try AutoencoderImport(Self.published + "/vae").publish(to: vae, precision: .float16)
            let model = try Autoencoder(directory: vae)
            let convIn = try #require(model.tensors.first { $0.path == "encoder.conv_in.weight" }).tensor
            let reference = try Self.tensor("encoder_conv_in.npy")
            // bf16 has fewer digits than fp16, so nothing is lost.
            #expect(convIn.shape == reference.shape && convIn.values == reference.values)
            let exists = "\(vae) exists already; nothing was overwritten"
            #expect(throws: FileError(path: vae, reason: exists)) { try AutoencoderImport(vae).publish(to: vae, precision: .float32) }
        }
    }

    /// Where one file is asked for, the way to one is named.
    @Test func aShardedAutoencoderElsewhereIsSentToTheImport() throws {
        try withScratchFolder { folder in
            let fitted = try Self.imported(in: folder)
            let (published, vae) = (Self.published, Self.published + "/vae")
            let reason = "\(vae): its weights are in several files: join them with revq-train import vae, and name the folder that it makes"
            let error = FileError(path: vae, reason: reason)
            #expect(throws: error) { try Autoencoder(directory: vae) }
            #expect(throws: error) { try fitted.check(belongsTo: vae, named: "fit") }
            #expect(throws: error) {
                try PublishedQuantizer(checkpoint: published + "/ckpt.pth", preprocessor: published + "/preprocessor.pth", vae: vae)
            }
        }
    }

    @Test func tokensAndRectifiedLatentsArePyTorchs() throws {
        try withScratchFolder { folder in
            let fitted = try Self.imported(in: folder)
            let latents = try Self.tensor("latents.npy")
            let tokens = fitted.quantizer.tokens(fitted.normalizer.normalize(Latents(rows: latents, shape: fitted.quantizer.shape)))
            let reference = try NumPyArray(parsing: StoredFile.read(Self.published + "/tokens.npy"))
            #expect(tokens.indices.map(Int64.init) == reference.integers)
            let rectified = fitted.rectifier(fitted.quantizer.latents(tokens)).rows.values
            let expected = try Self.tensor("rectified.npy").values
            let error = zip(rectified, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let norm = expected.reduce(0) { $0 + $1 * $1 }
            #expect((error / norm).squareRoot() < 1e-5)
        }
    }

    @Test func itBecomesACheckpointThatLoads() throws {
        try withScratchFolder { folder in
            _ = try Self.imported(in: folder)
            let publication = try Publication(
                vae: folder + "/vae", fit: folder + "/fit", images: TinyTraining.pictures(in: folder), most: 2)
            let checkpoint = try publication.publish(as: "published", under: folder + "/checkpoints", console: .silent)
            let specification = try VisualTokenizer.load(from: checkpoint).specification
            #expect(specification.imageSize == 16)
            #expect(specification.tokensPerImage == 128)
            #expect(specification.rectifier.network == .vit(width: 16, depth: 1, headDimension: 8, scales: [5]))
        }
    }

    @Test func refusesPartsThatDoNotBelongTogether() throws {
        try withScratchFolder { folder in
            try AutoencoderImport(Self.published + "/vae").publish(to: folder + "/vae", precision: .float32)
            let (checkpoint, preprocessor) = (Self.published + "/ckpt.pth", Self.published + "/preprocessor.pth")
            for (first, second, reason) in [
                (preprocessor, preprocessor, "\(preprocessor) holds no dictionary of tensors named quantizer"),
                (checkpoint, checkpoint, "\(checkpoint) has no tensor named mean"),
                (
                    Self.published + "/tokens.npy", preprocessor,
                    "\(Self.published)/tokens.npy is no zip archive, or it is truncated: there is no directory at its end"
                ),
            ] {
                let error = #expect(throws: FileError.self) {
                    try PublishedQuantizer(checkpoint: first, preprocessor: second, vae: folder + "/vae")
                }
                #expect(error?.reason == reason)
            }
            let other = try TinyTraining.place(in: folder + "/other").vae
            let error = #expect(throws: FileError.self) { try PublishedQuantizer(checkpoint: checkpoint, preprocessor: preprocessor, vae: other) }
            #expect(error?.reason == "\(preprocessor) is for 512 latent numbers; \(other) has 48 channels, which makes no square of them")
        }
    }

    /// 64 blocks of 8,192 channels are some 300 GB; the file has a few numbers.
    @Test func aRectifierThatIsNotInItsFileTakesNoMemory() throws {
        try withScratchFolder { folder in
            try AutoencoderImport(Self.published + "/vae").publish(to: folder + "/vae", precision: .float32)
            let number = TorchArchive.tensor("Float", count: 4, shape: [1], strides: [1])
            let wide = TorchArchive.tensor("Float", key: "1", count: 8192 * 8 * 9, shape: [8192, 8, 3, 3], strides: [72, 9, 3, 1])
            let blocks = (0..<64).map { ("up_blocks.0.\($0).x", number) }
            let pickle = TorchArchive.dictionary([
                (
                    "quantizer",
                    TorchArchive.dictionary([("embeddings", TorchArchive.tensor("Float", count: 4, shape: [1, 1, 4], strides: [4, 4, 1]))])
                ),
                ("decoder", TorchArchive.dictionary([("conv_in.weight", wide)] + blocks)),
            ])
            let path = folder + "/wide.pth"
            try StoredFile.write(
                TorchArchive.zip([("a/data.pkl", TorchArchive.pickle(pickle)), ("a/data/0", [UInt8](repeating: 0, count: 16))]), to: path)
            let profile = ComputeProfile()
            let error = #expect(throws: FileError.self) {
                try ComputeContext.with(\.profile, profile) {
                    _ = try PublishedQuantizer(checkpoint: path, preprocessor: Self.published + "/preprocessor.pth", vae: folder + "/vae")
                }
            }
            #expect(error?.reason == "\(path) is damaged: tensor conv_in.weight needs 589824 numbers of 4 bytes that are not there")
            #expect(profile.peakBytes < 1 << 20)
        }
    }

    @Test func refusesAnIndexThatLeadsElsewhereOrLies() throws {
        try withScratchFolder { folder in
            let index = folder + "/x.index.json"
            try SafetensorsWriter.write([("a", Tensor([1], shape: [1]))], to: folder + "/x.safetensors")
            for (map, reason) in [
                (#"{"a": "../x.safetensors"}"#, "\(index) names a file elsewhere: ../x.safetensors"),
                (#"{"b": "x.safetensors"}"#, "\(index) says that x.safetensors has the tensor b, which it has not"),
                (#"{"a": "y.safetensors"}"#, "cannot open \(folder)/y.safetensors: No such file or directory"),
            ] {
                try StoredFile.write(Array(#"{"metadata": {"total_size": 4}, "weight_map": \#(map)}"#.utf8), to: index)
                let error = #expect(throws: FileError.self) { try ShardedSafetensors(index: index) }
                #expect(error?.reason == reason)
            }
        }
    }

    /// Imports everything into `folder/vae` and `folder/fit`.
    private static func imported(in folder: String) throws -> FittedQuantizer {
        try AutoencoderImport(published + "/vae").publish(to: folder + "/vae", precision: .float32)
        try PublishedQuantizer(checkpoint: published + "/ckpt.pth", preprocessor: published + "/preprocessor.pth", vae: folder + "/vae")
            .publish(to: folder + "/fit")
        return try FittedQuantizer(folder + "/fit")
    }

    private static func tensor(_ name: String) throws -> Tensor {
        let array = try NumPyArray(parsing: StoredFile.read("\(published)/\(name)"))
        return Tensor(try #require(array.floats), shape: array.shape)
    }
}
