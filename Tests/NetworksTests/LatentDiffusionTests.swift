import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Networks

/// AutoencoderKL and VQModel beside diffusers in double precision: whole, without convolutions at the latents and without attention, and from
/// a file with an attention's old names and a codebook.
@Suite struct LatentDiffusionTests {
    private static let names = ["kl", "kl_plain", "vq"]
    /// What float32 allows when sums run in another order.
    private static let tolerance = 1e-5

    private struct Example {
        let model: Autoencoder
        let reference: SafetensorsFile

        init(_ name: String) throws {
            model = try Autoencoder(directory: Fixture.path(name))
            reference = try SafetensorsFile(Fixture.path("\(name)/reference.safetensors"))
        }

        func map(_ name: String) throws -> Tensor { try reference.tensor(name).channelsLast }
    }

    @Test(arguments: names, InstructionSet.supported)
    func encodesAndDecodesLikeDiffusers(_ name: String, set: InstructionSet) throws {
        let example = try Example(name)
        try ComputeContext.with(\.instructionSet, set) {
            let latent = try example.map("latent")
            #expect(example.model.encoder(try example.map("image")).relativeError(to: latent) < Self.tolerance)
            #expect(example.model.decoder(latent).relativeError(to: try example.map("reconstruction")) < Self.tolerance)
        }
    }

    @Test(arguments: names)
    func everyStageActivationIsDiffusers(_ name: String) throws {
        let example = try Example(name)
        var kept = Tape.forgetting
        func expect(_ x: Tensor, is activation: String) throws {
            #expect(x.images(0..<1).relativeError(to: try example.map(activation)) < Self.tolerance, "\(activation)")
        }
        let encoder = try #require(example.model.encoder.layer as? LatentDiffusionEncoder)
        var x = encoder.convIn.forward(try example.map("image"), keeping: &kept)
        try expect(x, is: "encoder.conv_in")
        for (i, stage) in encoder.stages.enumerated() {
            x = stage.forward(x, keeping: &kept)
            try expect(x, is: "encoder.stage\(i)")
        }
        try expect(encoder.middle.forward(x, keeping: &kept), is: "encoder.middle")
        let decoder = try #require(example.model.decoder.layer as? LatentDiffusionDecoder)
        let z = try example.map("latent")
        x = decoder.convIn.forward(decoder.projection?.forward(z, keeping: &kept) ?? z, keeping: &kept)
        try expect(x, is: "decoder.conv_in")
        x = decoder.middle.forward(x, keeping: &kept)
        try expect(x, is: "decoder.middle")
        for (i, stage) in decoder.stages.enumerated() {
            x = stage.forward(x, keeping: &kept)
            try expect(x, is: "decoder.stage\(i)")
        }
    }

    /// A chain of some thirty layers in float32.
    @Test(arguments: names, InstructionSet.supported)
    func everyGradientIsPyTorchs(_ name: String, set: InstructionSet) throws {
        let example = try Example(name)
        try ComputeContext.with(\.instructionSet, set) {
            let pixels = try example.map("image")
            var kept = Tape.keeping
            let (_, dy) = SquaredError.loss(example.model.forward(pixels, keeping: &kept), pixels)
            var gradient = example.model.zeroed()
            let dx = example.model.backward(dy, from: &kept, into: &gradient)
            #expect(kept.isEmpty)
            #expect(dx.relativeError(to: try example.map("input_gradient")) < 1e-4)
            for (path, _, tensor) in gradient.tensors {
                let expected = try example.reference.tensor("gradients.\(path)")
                // A key's bias adds the same to all similarities of a query, which softmax takes away: what is left is rounding.
                guard path.hasSuffix("to_k.bias") else {
                    #expect(tensor.relativeError(to: expected) < 1e-4, "\(path)")
                    continue
                }
                let weight = try example.reference.tensor("gradients.\(path.replacing("bias", with: "weight"))")
                #expect(tensor.sumOfSquares < 1e-8 * weight.sumOfSquares, "\(path)")
            }
        }
    }

    /// Also on more than one thread, and where a picture's positions are several tiles of the attention.
    @Test(arguments: names)
    func aPictureIsTheSameInEveryBatch(_ name: String) throws {
        let example = try Example(name)
        let pixels = try example.map("image")
        let together = example.model.encoder(pixels)
        let drawn = example.model.decoder(together)
        for threads in [1, 3] {
            ComputeContext.with(\.threads, threads) {
                for image in 0..<pixels.n {
                    let alone = example.model.encoder(pixels.images(image..<image + 1))
                    #expect(alone.values == together.images(image..<image + 1).values)
                    #expect(example.model.decoder(alone).values == drawn.images(image..<image + 1).values)
                }
            }
        }
    }

    @Test func theLatentsAreTheMeans() throws {
        let model = try Example("kl").model
        #expect(model.configuration.latentChannels == 3 && model.configuration.factor == 4)
        #expect(model.configuration.className == "AutoencoderKL")
        #expect(try Example("vq").model.configuration.latentChannels == 4)
    }
}
