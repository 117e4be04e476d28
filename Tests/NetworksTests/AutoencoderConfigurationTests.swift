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
            ("_class_name", "AutoencoderKL", "expected AutoencoderDC"),
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
}
