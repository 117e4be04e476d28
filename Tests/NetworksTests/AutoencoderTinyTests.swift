import Foundation
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Networks

/// Everything here is compared with diffusers; the tolerances are those of ``AutoencoderDCTests`` and ``AutoencoderGradientTests``.
@Suite struct AutoencoderTinyTests {
    private static let tolerance = 1e-5
    private static let gradientTolerance = 1e-4
    private static let names = ["tiny", "tiny_silu", "tiny_pool", "tiny_stem"]

    private func reference(_ name: String) throws -> SafetensorsFile { try SafetensorsFile(Fixture.path("\(name)/reference.safetensors")) }
    private func model(_ name: String) throws -> Autoencoder { try Autoencoder(directory: Fixture.path(name)) }

    @Test(arguments: names, InstructionSet.supported)
    func encodesAndDecodesLikeDiffusers(_ name: String, set: InstructionSet) throws {
        let (model, reference) = (try model(name), try reference(name))
        let (pixels, latents) = (try reference.tensor("pixels"), try reference.tensor("latents"))
        let pictures = try reference.tensor("pictures")
        ComputeContext.with(\.instructionSet, set) {
            #expect(model.encode(pixels).map.relativeError(to: latents) < Self.tolerance)
            #expect(model.decode(Latents(latents)).relativeError(to: pictures) < Self.tolerance)
        }
    }

    @Test(arguments: names)
    func everyModuleAnswersLikeDiffusers(_ name: String) throws {
        let (model, reference) = (try model(name), try reference(name))
        var kept = Tape.forgetting
        func expect(_ x: Tensor, _ half: String, _ number: Int) throws {
            let module = "\(half).layers.\(number)"
            #expect(x.images(0..<1).relativeError(to: try reference.tensor(module)) < Self.tolerance, "\(module)")
        }
        let encoder = try #require(model.encoder.layer as? TinyEncoder)
        var x = try reference.tensor("pixels")
        x.scale(by: 0.5, plus: 0.5)
        x = encoder.opening.forward(x, keeping: &kept)
        // Convolutions and, of a stem, their activations.
        var number = name == "tiny_stem" ? 4 : 1
        try expect(x, "encoder", number - 1)
        for (i, stage) in encoder.stages.enumerated() {
            if i > 0 {
                x = encoder.steps[i - 1].forward(x, keeping: &kept)
                try expect(x, "encoder", number)
                number += 1
            }
            for block in stage {
                x = block.forward(x, keeping: &kept)
                try expect(x, "encoder", number)
                number += 1
            }
        }
        let decoder = try #require(model.decoder.layer as? TinyDecoder)
        x = decoder.convIn.forward(SoftClamp.forward(try reference.tensor("latents")), keeping: &kept)
        try expect(x, "decoder", 0)
        x = (name == "tiny_silu" ? Activation.silu : .relu)(x)
        try expect(x, "decoder", 1)
        number = 2
        for (i, stage) in decoder.stages.enumerated() {
            if i > 0 {
                x = decoder.steps[i - 1].forwardEnlarging(x, keeping: &kept)
                try expect(x, "decoder", number + 1)
                number += 2
            }
            for block in stage {
                x = block.forward(x, keeping: &kept)
                try expect(x, "decoder", number)
                number += 1
            }
        }
        try expect(decoder.convOut.forward(x, keeping: &kept), "decoder", number)
    }

    @Test(arguments: names, InstructionSet.supported)
    func everyGradientIsPyTorchs(_ name: String, set: InstructionSet) throws {
        let (model, reference) = (try model(name), try reference(name))
        let pixels = try reference.tensor("pixels")
        try ComputeContext.with(\.instructionSet, set) {
            var kept = Tape.keeping
            let (_, dy) = SquaredError.loss(model.forward(pixels, keeping: &kept), pixels)
            var gradient = model.zeroed()
            let dx = model.backward(dy, from: &kept, into: &gradient)
            #expect(kept.isEmpty)
            let input = try reference.tensor("gradient/input")
            #expect(dx.relativeError(to: input) < Self.gradientTolerance)
            for (path, _, tensor) in gradient.tensors {
                let expected = try reference.tensor("gradient/\(path)")
                #expect(tensor.relativeError(to: expected) < Self.gradientTolerance, "\(path)")
            }
        }
    }

    @Test(arguments: names, [1, 3])
    func anImageIsTheSameAloneAndInABatch(_ name: String, threads: Int) throws {
        let model = try model(name)
        let pixels = try reference(name).tensor("pixels")
        let alone = ComputeContext.with(\.threads, 1) {
            (0..<pixels.n).map { (model.encode(pixels.images($0..<$0 + 1)).map, model(pixels.images($0..<$0 + 1))) }
        }
        ComputeContext.with(\.threads, threads) {
            let batch = Tensor.joiningImages([pixels, pixels, pixels])
            #expect(model.encode(batch).map.values == Tensor.joiningImages((0..<6).map { alone[$0 % 2].0 }).values)
            #expect(model(batch).values == Tensor.joiningImages((0..<6).map { alone[$0 % 2].1 }).values)
        }
    }

    @Test func theTailIsTheFinestStage() throws {
        let model = try model("tiny")
        let names = model.decoder.tensors.map(\.path)
        // Two blocks, one and one, behind a convolution and its activation; an enlargement and a convolution between any two stages.
        #expect(model.configuration.family.decoderTail == ["layers.7.", "layers.8.", "layers.9.", "layers.10."])
        #expect(names.contains("layers.8.weight") && names.contains("layers.9.conv.0.weight") && names.last == "layers.10.bias")
    }

    private func parse(_ keys: [String: Any]) throws -> AutoencoderConfiguration {
        let object = keys.merging(["_class_name": "AutoencoderTiny"]) { own, _ in own }
        return try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONSerialization.data(withJSONObject: object))
    }

    /// TAESD's published file says little more than its class.
    @Test func absentKeysHaveDiffusersDefaults() throws {
        let configuration = try parse([:])
        let family = try #require(configuration.family as? TinyConfiguration)
        #expect(family.encoder == .init(channels: [64, 64, 64, 64], blocks: [1, 3, 3, 3]) && family.stem.isEmpty)
        #expect(family.decoder == .init(channels: [64, 64, 64, 64], blocks: [3, 3, 3, 1]))
        #expect(configuration.latentChannels == 4 && configuration.factor == 8 && family.activation == .relu)
        let copy = try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONEncoder().encode(configuration))
        #expect(copy == configuration)
    }

    @Test(
        arguments: [
            ("in_channels", 4, "must be 3"), ("out_channels", 1, "must be 3"), ("latent_channels", 0, "1…4096"),
            ("encoder_block_out_channels", [64, 64, 0, 64], "encoder_block_out_channels must lie in 1…16384"),
            ("stem_out_channels", [32, -1], "stem_out_channels must lie in 1…16384"),
            ("stem_out_channels", [32, 48], "must end with the channels of the encoder's first stage, 64"),
            ("stem_out_channels", [32, 64], "must have as many stages as the encoder has resolutions, 6"),
            ("encoder_block_out_channels", [64, 64], "has 4 entries for 2 stages"), ("decoder_block_out_channels", [Int](), "4 entries for 0"),
            ("num_decoder_blocks", [1, 1, 1, 65], "0…64"), ("act_fn", "mish", "must be relu, silu or swish, got mish"),
            ("upsample_fn", "bilinear", "must be nearest, got bilinear"), ("upsampling_scaling_factor", 4, "must be 2"),
            ("_class_name", "AutoencoderKLWan", "found AutoencoderKLWan"),
        ] as [(String, any Sendable, String)])
    func refusesWhatCannotBeBuilt(_ key: String, _ value: any Sendable, _ reason: String) {
        do {
            _ = try parse([key: value])
            Issue.record("accepted \(key) = \(value)")
        } catch {
            #expect(error.summary.contains(reason), "\(error.summary)")
        }
    }

    @Test func whatDiffusersDoesNotHaveIsWrittenWhereItIsThere() throws {
        let pooled = try AutoencoderConfiguration(contentsOf: Fixture.path("tiny_pool/config.json"))
        #expect(try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONEncoder().encode(pooled)) == pooled)
        #expect(try #require(String(bytes: JSONEncoder().encode(pooled), encoding: .utf8)).contains("\"use_midblock_gn\":true"))
        let stemmed = try AutoencoderConfiguration(contentsOf: Fixture.path("tiny_stem/config.json"))
        #expect(try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONEncoder().encode(stemmed)) == stemmed)
        let plain = try AutoencoderConfiguration(contentsOf: Fixture.path("tiny/config.json"))
        let written = try #require(String(bytes: JSONEncoder().encode(plain), encoding: .utf8))
        #expect(!written.contains("use_midblock_gn") && !written.contains("stem_out_channels"))
    }

    @Test func halvesOfUnequalFactorsAreRefused() {
        do {
            _ = try parse(["decoder_block_out_channels": [64, 64], "num_decoder_blocks": [1, 1]])
            Issue.record("accepted halves of unequal factors")
        } catch {
            #expect(error.summary.contains("as many stages as the encoder has resolutions, 4"), "\(error.summary)")
        }
    }
}
