/// The autoencoder of a VQ-GAN without its quantiser: its encoder gave the vectors that were looked up in a codebook, which groups and codes of
/// ours take the place of. The codebook of its file is not read.
///
/// Source: diffusers `VQModel.__init__`, whose defaults absent keys have; Taming Transformers (arXiv 2012.09841).
package struct VQModelConfiguration: LatentDiffusionFamily {
    package static let className = "VQModel"

    package var architecture: LatentDiffusionArchitecture
}

extension VQModelConfiguration {
    private enum Key: String, CodingKey {
        case embeddedChannels = "vq_embed_dim"
        case norm = "norm_type"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        architecture = try LatentDiffusionArchitecture(from: decoder, defaultLatentChannels: 3)
        let embedded = try values.decodeIfPresent(Int.self, forKey: .embeddedChannels) ?? latentChannels
        guard (1...4096).contains(embedded) else {
            throw DecodingError.dataCorruptedError(forKey: .embeddedChannels, in: values, debugDescription: "vq_embed_dim must lie in 1…4096")
        }
        let norm = try values.decodeIfPresent(String.self, forKey: .norm) ?? "group"
        guard norm == "group" else {
            throw DecodingError.dataCorruptedError(
                forKey: .norm, in: values, debugDescription: "norm_type must be group: a decoder with norms of type \(norm) looks at its codes")
        }
        architecture.projectedChannels = embedded
        architecture.latentChannels = embedded
        architecture.hasProjectionBack = true
    }

    package func encode(to encoder: any Encoder) throws {
        try architecture.encode(to: encoder, latentChannels: architecture.encodedChannels)
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(latentChannels, forKey: .embeddedChannels)
        try values.encode("group", forKey: .norm)
    }
}
