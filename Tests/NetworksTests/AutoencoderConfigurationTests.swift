import Foundation
import TestSupport
import Testing

@testable import Networks

@Suite struct AutoencoderConfigurationTests {
    /// A patch code that stands alone, with a refiner.
    private static let refined = """
        {"_class_name": "PatchSkipAutoencoderDC", "latent_channels": 64, "encoder_out_shortcut": false, "decoder_in_shortcut": false,
         "encoder_layers_per_block": [0, 0, 0, 0, 0, 0], "decoder_layers_per_block": [0, 0, 0, 0, 0, 0],
         "decoder_refiner": {"factor": 4, "channels": 64, "layers": 6}}
        """

    private func parse(_ change: (inout [String: Any]) -> Void) throws -> AutoencoderConfiguration {
        let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("dcae_in/config.json")))
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        change(&object)
        return try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONSerialization.data(withJSONObject: object))
    }

    @Test func writesWhatItReads() throws {
        let configuration = try parse { _ in }
        let copy = try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONEncoder().encode(configuration))
        #expect(copy == configuration)
        #expect(configuration.factor == 32)
    }

    @Test func aRefinerIsWrittenAndReadToo() throws {
        let configuration = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(Self.refined.utf8))
        let code = try #require(configuration.family as? PatchCodeConfiguration)
        #expect(code.refiner == .init(factor: 4, channels: 64, layers: 6))
        #expect(!code.network.encoder.hasLayers && !code.network.decoder.hasLayers && configuration.factor == 32)
        #expect(try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONEncoder().encode(configuration)) == configuration)
        var other = code
        other.refiner = nil
        #expect(AutoencoderConfiguration(other).differsOnlyInRefiner(from: configuration))
        other.network.latentChannels = 32
        #expect(!AutoencoderConfiguration(other).differsOnlyInRefiner(from: configuration))
    }

    @Test(arguments: [
        ("\"factor\": 4", "\"factor\": 3", "divides the autoencoder's 32"), ("\"factor\": 4", "\"factor\": 0", "divides the autoencoder's 32"),
        ("\"factor\": 4", "\"factor\": 64", "divides the autoencoder's 32"), ("\"channels\": 64", "\"channels\": 0", "1…16384 channels"),
        ("\"layers\": 6", "\"layers\": 65", "1…64 layers"), ("\"layers\": 6", "\"layers\": 0", "1…64 layers"),
        ("\"PatchSkipAutoencoderDC\"", "\"AutoencoderDC\"", "empty first stage, no other"),
        ("\"decoder_layers_per_block\": [0, 0, 0, 0, 0, 0]", "\"decoder_layers_per_block\": [0, 0, 1, 0, 0, 0]", "all may be empty"),
        ("\"decoder_in_shortcut\": false", "\"decoder_in_shortcut\": true", "needs a network"),
    ])
    func refusesARefinerThatCannotBeBuilt(_ part: String, _ change: String, _ reason: String) {
        let text = Self.refined.replacingOccurrences(of: part, with: change)
        #expect(text != Self.refined)
        do {
            _ = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(text.utf8))
            Issue.record("accepted \(change)")
        } catch {
            #expect(error.summary.contains(reason), "\(error.summary)")
        }
    }

    @Test func onlyAPatchCodeHasARefiner() {
        do {
            _ = try parse { $0["decoder_refiner"] = ["factor": 4, "channels": 8, "layers": 1] }
            Issue.record("accepted a refiner")
        } catch {
            #expect(error.summary.contains("is for PatchSkipAutoencoderDC only"), "\(error.summary)")
        }
    }

    /// A minimal configuration is the full-size model that diffusers builds from it.
    @Test func absentKeysHaveDiffusersDefaults() throws {
        let read = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data("{}".utf8))
        let configuration = try #require(read.family as? DCAEConfiguration)
        #expect(configuration.encoder.stages.map(\.channels) == [128, 256, 512, 512, 1024, 1024])
        #expect(configuration.decoder.stages.map(\.layers) == [3, 3, 3, 3, 3, 3])
        #expect(configuration.latentChannels == 32)
    }

    @Test(
        arguments: [
            (
                "_class_name", "AutoencoderOobleck",
                "expected one of AutoencoderDC, PatchSkipAutoencoderDC, AutoencoderKL, VQModel, AutoencoderTiny, found AutoencoderOobleck"
            ),
            ("_class_name", "PatchSkipAutoencoderDC", "must be false beside a patch code"),
            ("in_channels", 4, "must be 3"), ("latent_channels", 0, "1…4096"),
            ("encoder_block_out_channels", [6, 6, 6, 16, 16, 16], "multiple of 4"),
            ("encoder_block_out_channels", [8, 8, 8, 12, 16, 16], "multiple of the head dimension"),
            ("encoder_block_out_channels", [8, 8, 24, 16, 16, 16], "cannot step from 8 to 24"),
            ("encoder_layers_per_block", [0, 1, 0, 1, 1, 1], "empty first stage, no other"),
            ("encoder_layers_per_block", [0, 1], "2 entries for 6 stages"),
            ("decoder_act_fns", "gelu", "gelu"), ("attention_head_dim", "8", "attention_head_dim"),
        ] as [(String, any Sendable, String)])
    func refusesWhatCannotBeBuilt(_ key: String, _ value: any Sendable, _ reason: String) {
        do {
            _ = try parse { $0[key] = value }
            Issue.record("accepted \(key) = \(value)")
        } catch {
            #expect(error.summary.contains(reason), "\(error.summary)")
        }
    }

    // MARK: AutoencoderKL and VQModel

    private static let latentDiffusion = """
        {"_class_name": "AutoencoderKL", "block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "latent_channels": 16,
         "scaling_factor": 0.3611, "shift_factor": 0.1159, "use_quant_conv": false, "use_post_quant_conv": false, "act_fn": "silu"}
        """

    @Test func latentDiffusionIsWrittenAndReadToo() throws {
        let flux = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(Self.latentDiffusion.utf8))
        #expect(flux.className == "AutoencoderKL" && flux.latentChannels == 16 && flux.factor == 8)
        let architecture = try #require(flux.family as? KLConfiguration).architecture
        #expect(architecture.encodedChannels == 32 && architecture.projectedChannels == nil && !architecture.hasProjectionBack)
        #expect(try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONEncoder().encode(flux)) == flux)
        let text = #"{"_class_name": "VQModel", "block_out_channels": [32, 64], "vq_embed_dim": 5, "num_vq_embeddings": 8192}"#
        let vq = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(text.utf8))
        #expect(vq.className == "VQModel" && vq.latentChannels == 5 && vq.factor == 2)
        #expect(try #require(vq.family as? VQModelConfiguration).architecture.encodedChannels == 3)
        #expect(try JSONDecoder().decode(AutoencoderConfiguration.self, from: JSONEncoder().encode(vq)) == vq)
    }

    /// What diffusers builds from a file that says nothing.
    @Test func absentKeysOfLatentDiffusionHaveDiffusersDefaults() throws {
        let kl = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(#"{"_class_name": "AutoencoderKL"}"#.utf8))
        let architecture = try #require(kl.family as? KLConfiguration).architecture
        #expect(architecture.channels == [64] && architecture.layers == 1 && architecture.groups == 32 && architecture.hasAttention)
        #expect(architecture.latentChannels == 4 && architecture.projectedChannels == 8 && architecture.hasProjectionBack)
    }

    @Test(arguments: [
        ("[128, 256, 512, 512]", "[128, 256, 500, 512]", "32 does not divide 500"), ("[128, 256, 512, 512]", "[]", "1…10 numbers"),
        ("\"layers_per_block\": 2", "\"layers_per_block\": 0", "1…64"), ("\"latent_channels\": 16", "\"latent_channels\": 0", "1…4096"),
        ("\"act_fn\": \"silu\"", "\"in_channels\": 1", "in_channels must be 3"),
        ("\"act_fn\": \"silu\"", "\"norm_num_groups\": 0", "norm_num_groups must divide"),
        ("\"act_fn\": \"silu\"", "\"down_block_types\": [\"DownEncoderBlock2D\"]", "has 1 entries for 4 stages"),
        (
            "\"act_fn\": \"silu\"",
            "\"up_block_types\": [\"UpDecoderBlock2D\", \"AttnUpDecoderBlock2D\", \"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]",
            "must be UpDecoderBlock2D only"
        ),
        ("\"AutoencoderKL\"", "\"VQModel\", \"norm_type\": \"spatial\"", "norm_type must be group"),
        ("\"AutoencoderKL\"", "\"VQModel\", \"vq_embed_dim\": 0", "vq_embed_dim must lie"),
    ])
    func refusesLatentDiffusionThatCannotBeBuilt(_ part: String, _ change: String, _ reason: String) {
        let text = Self.latentDiffusion.replacingOccurrences(of: part, with: change)
        #expect(text != Self.latentDiffusion)
        do {
            _ = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data(text.utf8))
            Issue.record("accepted \(change)")
        } catch {
            #expect(error.summary.contains(reason), "\(error.summary)")
        }
    }
}
