import Compute

/// The network that latent diffusion models were made with: stages of residual blocks with group norms, attention in the middle, and 1×1
/// convolutions on both sides of the latents.
///
/// Source: diffusers `Encoder` and `Decoder` of `autoencoders/vae.py`; High-Resolution Image Synthesis with Latent Diffusion Models
/// (arXiv 2112.10752).
package struct LatentDiffusionArchitecture: Sendable, Equatable {
    /// Of each stage, the finest first.
    package var channels: [Int]
    /// Residual blocks of an encoder's stage; a decoder's has one more.
    package var layers: Int
    package var groups: Int
    package var activation: Activation
    /// Whether positions of the coarsest stage attend to each other.
    package var hasAttention: Bool
    /// What the encoder's last convolution gives and the decoder's first one takes.
    package var encodedChannels, drawnChannels: Int
    /// What the convolution behind the encoder makes of that; nil without one.
    package var projectedChannels: Int?
    /// How many of these channels, the first ones, are the latents.
    package var latentChannels: Int
    /// Whether a convolution stands before the decoder.
    package var hasProjectionBack: Bool

    var first: Int { channels[0] }
    var last: Int { channels[channels.count - 1] }
    var factor: Int { 1 << (channels.count - 1) }

    /// The finest stage and what follows it.
    var decoderTail: [String] { ["up_blocks.\(channels.count - 1).", "conv_norm_out.", "conv_out."] }
}

extension LatentDiffusionArchitecture {
    /// The keys that its families' files share.
    enum Key: String, CodingKey {
        case inputChannels = "in_channels"
        case outputChannels = "out_channels"
        case channels = "block_out_channels"
        case layers = "layers_per_block"
        case groups = "norm_num_groups"
        case activation = "act_fn"
        case hasAttention = "mid_block_add_attention"
        case latentChannels = "latent_channels"
        case encoderBlocks = "down_block_types"
        case decoderBlocks = "up_block_types"
    }

    private static let (encoderBlock, decoderBlock) = ("DownEncoderBlock2D", "UpDecoderBlock2D")

    /// Reads the shared keys; absent ones have diffusers' defaults. The latents' own convolutions are added by the family.
    /// - Parameter defaultLatentChannels: the family's.
    init(from decoder: any Decoder, defaultLatentChannels: Int) throws {
        let values = try decoder.container(keyedBy: Key.self)
        func check(_ holds: Bool, _ key: Key, _ expected: String) throws {
            guard holds else { throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "\(key.rawValue) \(expected)") }
        }
        let latent = try values.decodeIfPresent(Int.self, forKey: .latentChannels) ?? defaultLatentChannels
        channels = try values.decodeIfPresent([Int].self, forKey: .channels) ?? [64]
        layers = try values.decodeIfPresent(Int.self, forKey: .layers) ?? 1
        groups = try values.decodeIfPresent(Int.self, forKey: .groups) ?? 32
        activation = try values.decodeIfPresent(Activation.self, forKey: .activation) ?? .silu
        hasAttention = try values.decodeIfPresent(Bool.self, forKey: .hasAttention) ?? true
        (encodedChannels, drawnChannels, projectedChannels) = (latent, latent, nil)
        (latentChannels, hasProjectionBack) = (latent, false)
        for key in [Key.inputChannels, .outputChannels] {
            try check(try values.decodeIfPresent(Int.self, forKey: key) ?? 3 == 3, key, "must be 3, this tokenizer reads RGB")
        }
        try check((1...10).contains(channels.count) && channels.allSatisfy { (1...16384).contains($0) }, .channels, "must be 1…10 numbers in 1…16384")
        try check((1...64).contains(layers), .layers, "must lie in 1…64")
        try check((1...4096).contains(latent), .latentChannels, "must lie in 1…4096")
        for width in channels {
            try check(groups >= 1 && width % groups == 0, .groups, "must divide every stage's channels, and \(groups) does not divide \(width)")
        }
        for (key, name) in [(Key.encoderBlocks, Self.encoderBlock), (.decoderBlocks, Self.decoderBlock)] {
            let names = try values.decodeIfPresent([String].self, forKey: key) ?? Array(repeating: name, count: channels.count)
            try check(names.count == channels.count, key, "has \(names.count) entries for \(channels.count) stages")
            try check(names.allSatisfy { $0 == name }, key, "must be \(name) only")
        }
    }

    /// - Parameter latentChannels: as the file has them, whatever the latents' own convolutions make of them.
    func encode(to encoder: any Encoder, latentChannels: Int) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(3, forKey: .inputChannels)
        try values.encode(3, forKey: .outputChannels)
        try values.encode(channels, forKey: .channels)
        try values.encode(layers, forKey: .layers)
        try values.encode(groups, forKey: .groups)
        try values.encode(activation, forKey: .activation)
        try values.encode(hasAttention, forKey: .hasAttention)
        try values.encode(latentChannels, forKey: .latentChannels)
        try values.encode(channels.map { _ in Self.encoderBlock }, forKey: .encoderBlocks)
        try values.encode(channels.map { _ in Self.decoderBlock }, forKey: .decoderBlocks)
    }
}
