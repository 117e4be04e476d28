import Foundation
import Testing

@testable import TokenizerCore

@Suite struct AutoencoderConfigurationTests {
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

    /// A minimal configuration is the full-size model that diffusers builds from it.
    @Test func absentKeysHaveDiffusersDefaults() throws {
        let configuration = try JSONDecoder().decode(AutoencoderConfiguration.self, from: Data("{}".utf8))
        #expect(configuration.encoder.stages.map(\.channels) == [128, 256, 512, 512, 1024, 1024])
        #expect(configuration.decoder.stages.map(\.layers) == [3, 3, 3, 3, 3, 3])
        #expect(configuration.latentChannels == 32)
    }

    @Test(arguments: [
        ("_class_name", "AutoencoderKL", "expected AutoencoderDC"), ("_class_name", "PatchSkipAutoencoderDC", "must be false beside a patch code"),
        ("in_channels", 4, "must be 3"), ("latent_channels", 0, "1…4096"),
        ("encoder_block_out_channels", [6, 6, 6, 16, 16, 16], "multiple of 4"),
        ("encoder_block_out_channels", [8, 8, 8, 12, 16, 16], "multiple of the head dimension"),
        ("encoder_block_out_channels", [8, 8, 24, 16, 16, 16], "cannot step from 8 to 24"),
        ("encoder_layers_per_block", [0, 1, 0, 1, 1, 1], "empty first stage, no other"), ("encoder_layers_per_block", [0, 1], "2 entries for 6 stages"),
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
