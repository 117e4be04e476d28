import TestSupport
import Testing

@testable import Compute
@testable import Networks

/// Everything here is compared with diffusers; 1e-5 is what float32 allows when sums run in another order (its own float32 and
/// float64 runs differ by about 1e-6).
@Suite struct AutoencoderDCTests {
    private static let tolerance = 1e-5

    private func model(_ name: String) throws -> Autoencoder {
        try Autoencoder(directory: Fixture.path(name))
    }

    @Test(arguments: [("dcae_sana", "a64"), ("dcae_sana", "b128"), ("dcae_sana", "c64x96"), ("dcae_in", "a64")])
    func encodesAndDecodesLikeDiffusers(_ name: String, _ tag: String) throws {
        let model = try model(name)
        let latent = model.encoder(try Fixture.pixels("\(name)/\(tag)_image_u8.npy"))
        let reference = try Fixture.featureMap("\(name)/\(tag)_latent.npy")
        #expect(latent.relativeError(to: reference) < Self.tolerance)
        let pixels = model.decoder(reference)
        #expect(pixels.relativeError(to: try Fixture.featureMap("\(name)/\(tag)_recon.npy")) < Self.tolerance)
    }

    @Test(arguments: ["dcae_sana", "dcae_in"])
    func everyStageActivationIsDiffusers(_ name: String) throws {
        let model = try model(name)
        var kept = Tape.forgetting
        func expect(_ x: Tensor, is file: String) throws {
            let reference = try Fixture.featureMap("\(name)/a64_act_\(file).npy")
            #expect(x.images(0..<1).relativeError(to: reference) < Self.tolerance, "\(file)")
        }
        let (network, drawing) = (try #require(model.encoder.layer as? DCAEEncoder), try #require(model.decoder.layer as? DCAEDecoder))
        var x = network.convIn.forward(try Fixture.pixels("\(name)/a64_image_u8.npy"), keeping: &kept)
        try expect(x, is: "enc_conv_in")
        for (i, stage) in network.stages.enumerated() where !stage.isEmpty {
            for block in stage { x = block.forward(x, keeping: &kept) }
            try expect(x, is: "enc_stage\(i)")
        }
        let z = try Fixture.featureMap("\(name)/a64_latent.npy")
        x = drawing.convIn.forward(z, keeping: &kept)
        try expect(x, is: "dec_conv_in")
        x.add(ChannelGroups.repeat(z, count: x.c / z.c))
        for (i, stage) in drawing.stages.enumerated().reversed() where !stage.isEmpty {
            for block in stage { x = block.forward(x, keeping: &kept) }
            try expect(x, is: "dec_stage\(i)")
        }
    }
}
