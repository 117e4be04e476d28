import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Networks

/// A tiny autoencoder as its authors publish it: two files that `torch.save` wrote.
@Suite struct TinyHalvesTests {
    private static let names = ["config.json", "small_encoder.pth", "small_decoder.pth"]

    private func copy(_ names: [String], to folder: String) throws {
        for name in names { try StoredFile.write(StoredFile.read(Fixture.path("tiny_pool/\(name)")), to: "\(folder)/\(name)") }
    }

    @Test func twoFilesBecomeOneFolder() throws {
        try withScratchFolder { folder in
            try copy(Self.names, to: folder)
            try AutoencoderImport(folder).publish(to: folder + "/vae", precision: .float16)
            let (model, original) = (try Autoencoder(directory: folder + "/vae"), try Autoencoder(directory: Fixture.path("tiny_pool")))
            #expect(model.configuration == original.configuration)
            for (tensor, reference) in zip(model.tensors, original.tensors) {
                #expect(tensor.path == reference.path)
                // Half precision has eleven digits.
                #expect(tensor.tensor.relativeError(to: reference.tensor) < 5e-4, "\(tensor.path)")
            }
        }
    }

    @Test func halfOfAnAutoencoderIsRefused() throws {
        try withScratchFolder { folder in
            try copy(["config.json", "small_encoder.pth"], to: folder)
            let reason = "\(folder): one …encoder.pth and one …decoder.pth were expected, there are 1 and 0"
            #expect(throws: FileError(path: folder, reason: reason)) { try AutoencoderImport(folder) }
        }
    }

    @Test func aWronglyShapedTensorIsNamed() throws {
        try withScratchFolder { folder in
            try copy(["config.json"], to: folder)
            let encoder = try StoredFile.read(Fixture.path("tiny_pool/small_encoder.pth"))
            for half in ["encoder", "decoder"] { try StoredFile.write(encoder, to: "\(folder)/small_\(half).pth") }
            let error = #expect(throws: FileError.self) { try AutoencoderImport(folder) }
            #expect(error?.reason.contains("\n") == false && error?.reason.contains("decoder.layers.") == true, "\(error?.reason ?? "")")
        }
    }
}
