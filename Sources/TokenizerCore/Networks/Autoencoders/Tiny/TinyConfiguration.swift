import Compute

/// The tiny autoencoder (TAESD, TAEF1 and others): plain convolutions that were trained to imitate a larger autoencoder.
///
/// What `latent_magnitude` and `latent_shift` say is for who stores latents as bytes; diffusers' `encode` and `decode` do not look at them, nor at
/// `scaling_factor`, and latents are what the encoder gives, as for every family.
///
/// Source: diffusers `AutoencoderTiny.__init__`, whose defaults absent keys have. Of the authors' own code alone (github.com/madebyollin/taesd) are
/// `use_midblock_gn`, false by default, which TAEF2 has, and what TAESANA has: stages of unequal widths, and `stem_out_channels`.
package struct TinyConfiguration: AutoencoderFamily {
    package static let className = "AutoencoderTiny"
    package static let ownKeys: Set<String> = [Key.pools.rawValue, Key.stem.rawValue]

    /// One half of the network, in the order in which it runs.
    package struct Half: Sendable, Equatable {
        /// Of every stage: blocks keep their number, steps between two stages may change it.
        package var channels: [Int]
        /// How many blocks each stage has.
        package var blocks: [Int]
    }

    package var imageChannels: Int
    package var latentChannels: Int
    /// Channels of the encoder's opening convolutions, each to half the resolution and with an activation behind it; where there are none, one
    /// convolution at full resolution opens it.
    package var stem: [Int]
    package var encoder: Half
    package var decoder: Half
    package var activation: Activation
    /// Whether the blocks of the coarsest stages have a ``TinyPool``.
    package var hasPools: Bool

    package var factor: Int { 1 << (decoder.blocks.count - 1) }

    package func encoder(_ initializer: inout Initializer) -> AnyLayer { AnyLayer(TinyEncoder(self, &initializer)) }
    package func decoder(_ initializer: inout Initializer) -> AnyLayer { AnyLayer(TinyDecoder(self, &initializer)) }

    /// The finest stage with the step that leads to it, and the last convolution.
    package var decoderTail: [String] {
        let last = decoder.blocks.count - 1
        // The first convolution, its activation, the stages, and an enlargement and a convolution between any two.
        let first = 2 + decoder.blocks[..<last].reduce(0, +) + 2 * max(last - 1, 0)
        let count = (last > 0 ? 2 : 0) + decoder.blocks[last] + 1
        return (first..<first + count).map { "layers.\($0)." }
    }
}

extension TinyConfiguration {
    fileprivate enum Key: String, CodingKey {
        case imageChannels = "in_channels"
        case drawnChannels = "out_channels"
        case latentChannels = "latent_channels"
        case encoderChannels = "encoder_block_out_channels"
        case decoderChannels = "decoder_block_out_channels"
        case encoderBlocks = "num_encoder_blocks"
        case decoderBlocks = "num_decoder_blocks"
        case stem = "stem_out_channels"
        case activation = "act_fn"
        case upsampling = "upsample_fn"
        case upsamplingFactor = "upsampling_scaling_factor"
        case pools = "use_midblock_gn"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        func check(_ holds: Bool, _ key: Key, _ expected: String) throws {
            guard holds else { throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "\(key.rawValue) \(expected)") }
        }
        func half(_ channels: Key, _ blocks: Key, _ defaultBlocks: [Int]) throws -> Half {
            let widths = try values.decodeIfPresent([Int].self, forKey: channels) ?? [64, 64, 64, 64]
            let counts = try values.decodeIfPresent([Int].self, forKey: blocks) ?? defaultBlocks
            try check(widths.count == counts.count, blocks, "has \(counts.count) entries for \(widths.count) stages")
            try check((1...10).contains(widths.count), channels, "must have 1…10 stages, got \(widths.count)")
            try check(widths.allSatisfy { (1...16384).contains($0) }, channels, "must lie in 1…16384")
            try check(counts.allSatisfy { (0...64).contains($0) }, blocks, "must lie in 0…64")
            return Half(channels: widths, blocks: counts)
        }
        imageChannels = try values.decodeIfPresent(Int.self, forKey: .imageChannels) ?? 3
        latentChannels = try values.decodeIfPresent(Int.self, forKey: .latentChannels) ?? 4
        stem = try values.decodeIfPresent([Int].self, forKey: .stem) ?? []
        encoder = try half(.encoderChannels, .encoderBlocks, [1, 3, 3, 3])
        self.decoder = try half(.decoderChannels, .decoderBlocks, [3, 3, 3, 1])
        hasPools = try values.decodeIfPresent(Bool.self, forKey: .pools) ?? false
        let activation = try values.decodeIfPresent(String.self, forKey: .activation) ?? Activation.relu.rawValue
        try check(imageChannels == 3, .imageChannels, "must be 3, this tokenizer reads RGB")
        try check(try values.decodeIfPresent(Int.self, forKey: .drawnChannels) ?? 3 == 3, .drawnChannels, "must be 3, this tokenizer draws RGB")
        try check((1...4096).contains(latentChannels), .latentChannels, "must lie in 1…4096")
        try check(stem.allSatisfy { (1...16384).contains($0) }, .stem, "must lie in 1…16384")
        try check(
            stem.last ?? encoder.channels[0] == encoder.channels[0], .stem,
            "must end with the channels of the encoder's first stage, \(encoder.channels[0])")
        let resolutions = stem.count + encoder.blocks.count
        try check(
            resolutions == self.decoder.blocks.count, .decoderChannels,
            "must have as many stages as the encoder has resolutions, \(resolutions)")
        guard let known = Activation(rawValue: activation == "swish" ? Activation.silu.rawValue : activation) else {
            throw DecodingError.dataCorruptedError(
                forKey: .activation, in: values, debugDescription: "act_fn must be relu, silu or swish, got \(activation)")
        }
        self.activation = known
        let enlargement = try values.decodeIfPresent(String.self, forKey: .upsampling) ?? "nearest"
        try check(enlargement == "nearest", .upsampling, "must be nearest, got \(enlargement)")
        let step = try values.decodeIfPresent(Int.self, forKey: .upsamplingFactor) ?? 2
        try check(step == 2, .upsamplingFactor, "must be 2, the encoder's step between two stages, got \(step)")
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(imageChannels, forKey: .imageChannels)
        try values.encode(imageChannels, forKey: .drawnChannels)
        try values.encode(latentChannels, forKey: .latentChannels)
        for (half, channels, blocks) in [(self.encoder, Key.encoderChannels, Key.encoderBlocks), (decoder, .decoderChannels, .decoderBlocks)] {
            try values.encode(half.channels, forKey: channels)
            try values.encode(half.blocks, forKey: blocks)
        }
        try values.encode(activation, forKey: .activation)
        // diffusers would refuse or ignore what it does not know.
        if hasPools { try values.encode(hasPools, forKey: .pools) }
        if !stem.isEmpty { try values.encode(stem, forKey: .stem) }
    }
}
