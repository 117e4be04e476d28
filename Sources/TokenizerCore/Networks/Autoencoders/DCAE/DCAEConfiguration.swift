import Compute
import Files
import FoundationEssentials

/// The deep-compression autoencoder, as a diffusers `config.json` states it: ReVQ's frozen VAE.
///
/// Source: diffusers `AutoencoderDC.__init__`, whose defaults absent keys have; Deep Compression Autoencoder (arXiv 2410.10733).
package struct DCAEConfiguration: AutoencoderFamily {
    package static let className = "AutoencoderDC"

    /// One half of the network, finest stage first.
    package struct Half: Sendable, Equatable {
        package struct Stage: Sendable, Equatable {
            package var channels: Int
            package var layers: Int
            package var block: Block.Kind
            /// Kernel sizes of the attention's further scales.
            package var scales: [Int]
            package var norm: Normalization.Kind
            package var activation: Activation
        }
        package var stages: [Stage]

        /// Whether there is a network at all.
        var hasLayers: Bool { stages.contains { $0.layers > 0 } }
        /// Channels at the network's own finest resolution: an empty first stage is skipped.
        var firstChannels: Int { stages[0].layers > 0 ? stages[0].channels : stages[1].channels }
        var lastChannels: Int { stages[stages.count - 1].channels }
    }

    package var imageChannels: Int
    package var latentChannels: Int
    package var headDimension: Int
    package var encoder: Half
    package var decoder: Half
    package var downsampling: Downsampling.Kind
    package var upsampling: Upsampling.Kind
    package var hasEncoderShortcut: Bool
    package var hasDecoderShortcut: Bool
    package var finalActivation: Activation

    /// How many pixels one latent position covers in each direction.
    package var factor: Int { 1 << (encoder.stages.count - 1) }

    package func encoder(_ initializer: inout Initializer) -> AnyLayer { AnyLayer(DCAEEncoder(self, &initializer)) }
    package func decoder(_ initializer: inout Initializer) -> AnyLayer { AnyLayer(DCAEDecoder(self, &initializer)) }

    /// The finest stage that has layers, and what follows it.
    package var decoderTail: [String] {
        (decoder.stages.firstIndex { $0.layers > 0 }.map { ["up_blocks.\($0)."] } ?? []) + ["norm_out.", "conv_out."]
    }
}

extension DCAEConfiguration {
    private enum Key: String, CodingKey {
        case imageChannels = "in_channels"
        case latentChannels = "latent_channels"
        case headDimension = "attention_head_dim"
        case encoderBlocks = "encoder_block_types"
        case decoderBlocks = "decoder_block_types"
        case encoderChannels = "encoder_block_out_channels"
        case decoderChannels = "decoder_block_out_channels"
        case encoderLayers = "encoder_layers_per_block"
        case decoderLayers = "decoder_layers_per_block"
        case encoderScales = "encoder_qkv_multiscales"
        case decoderScales = "decoder_qkv_multiscales"
        case downsampling = "downsample_block_type"
        case upsampling = "upsample_block_type"
        case decoderNorms = "decoder_norm_types"
        case decoderActivations = "decoder_act_fns"
        case encoderShortcut = "encoder_out_shortcut"
        case decoderShortcut = "decoder_in_shortcut"
        case finalActivation = "decoder_conv_act_fn"
    }

    package init(from decoder: any Decoder) throws {
        try self.init(unchecked: decoder)
        try validate(decoder, mayBeEmpty: false)
    }

    /// Reads what ``validate(_:mayBeEmpty:)`` has yet to check.
    init(unchecked decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        imageChannels = try values.decodeIfPresent(Int.self, forKey: .imageChannels) ?? 3
        latentChannels = try values.decodeIfPresent(Int.self, forKey: .latentChannels) ?? 32
        headDimension = try values.decodeIfPresent(Int.self, forKey: .headDimension) ?? 32
        // Published files say "Conv" or "conv" for the strided convolution, so only the other name is looked for.
        let down = try values.decodeIfPresent(String.self, forKey: .downsampling) ?? Downsampling.Kind.pixelUnshuffle.rawValue
        downsampling = down == Downsampling.Kind.pixelUnshuffle.rawValue ? .pixelUnshuffle : .conv
        let up = try values.decodeIfPresent(String.self, forKey: .upsampling) ?? Upsampling.Kind.pixelShuffle.rawValue
        upsampling = up == Upsampling.Kind.interpolate.rawValue ? .interpolate : .pixelShuffle
        hasEncoderShortcut = try values.decodeIfPresent(Bool.self, forKey: .encoderShortcut) ?? true
        hasDecoderShortcut = try values.decodeIfPresent(Bool.self, forKey: .decoderShortcut) ?? true
        finalActivation = try values.decodeIfPresent(Activation.self, forKey: .finalActivation) ?? .relu
        encoder = try Half(
            values, blocks: .encoderBlocks, channels: .encoderChannels, layers: .encoderLayers, scales: .encoderScales,
            defaultLayers: [2, 2, 2, 3, 3, 3], norms: nil, activations: nil)
        self.decoder = try Half(
            values, blocks: .decoderBlocks, channels: .decoderChannels, layers: .decoderLayers, scales: .decoderScales,
            defaultLayers: [3, 3, 3, 3, 3, 3], norms: .decoderNorms, activations: .decoderActivations)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(imageChannels, forKey: .imageChannels)
        try values.encode(latentChannels, forKey: .latentChannels)
        try values.encode(headDimension, forKey: .headDimension)
        try values.encode(self.encoder.stages.map(\.block), forKey: .encoderBlocks)
        try values.encode(decoder.stages.map(\.block), forKey: .decoderBlocks)
        try values.encode(self.encoder.stages.map(\.channels), forKey: .encoderChannels)
        try values.encode(decoder.stages.map(\.channels), forKey: .decoderChannels)
        try values.encode(self.encoder.stages.map(\.layers), forKey: .encoderLayers)
        try values.encode(decoder.stages.map(\.layers), forKey: .decoderLayers)
        try values.encode(self.encoder.stages.map(\.scales), forKey: .encoderScales)
        try values.encode(decoder.stages.map(\.scales), forKey: .decoderScales)
        try values.encode(downsampling, forKey: .downsampling)
        try values.encode(upsampling, forKey: .upsampling)
        try values.encode(decoder.stages.map(\.norm), forKey: .decoderNorms)
        try values.encode(decoder.stages.map(\.activation), forKey: .decoderActivations)
        try values.encode(hasEncoderShortcut, forKey: .encoderShortcut)
        try values.encode(hasDecoderShortcut, forKey: .decoderShortcut)
        try values.encode(finalActivation, forKey: .finalActivation)
    }

    /// - Parameters:
    ///   - decoder: what it was read with, for messages.
    ///   - mayBeEmpty: whether a half may have no layers at all.
    /// - Throws: what cannot be built.
    func validate(_ decoder: any Decoder, mayBeEmpty: Bool) throws {
        let (values, encoder, decoder) = (try decoder.container(keyedBy: Key.self), encoder, self.decoder)
        func check(_ holds: Bool, _ key: Key, _ expected: String) throws {
            guard holds else { throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "\(key.rawValue) \(expected)") }
        }
        try check(imageChannels == 3, .imageChannels, "must be 3, this tokenizer reads RGB")
        try check((1...4096).contains(latentChannels), .latentChannels, "must lie in 1…4096")
        try check((1...1024).contains(headDimension), .headDimension, "must lie in 1…1024")
        try check(
            encoder.stages.count == decoder.stages.count && (2...10).contains(encoder.stages.count), .decoderChannels,
            "must have as many stages as the encoder, 2…10")
        for (half, key) in [(encoder, Key.encoderChannels), (decoder, .decoderChannels)] {
            try check(half.stages.allSatisfy { (1...16384).contains($0.channels) }, key, "must lie in 1…16384")
            try check(
                half.stages.dropFirst().allSatisfy { $0.layers > 0 } || mayBeEmpty && !half.hasLayers, key,
                "may have an empty first stage, no other" + (mayBeEmpty ? "; or all may be empty" : ""))
            for stage in half.stages where stage.block == .efficientViT {
                try check(stage.channels % headDimension == 0, key, "must be a multiple of the head dimension \(headDimension)")
            }
        }
        try check(
            encoder.stages[0].layers > 0 || downsampling == .conv || encoder.firstChannels % 4 == 0, .encoderChannels,
            "must be a multiple of 4 where pixel_unshuffle leads to them")
        for (finer, coarser) in zip(encoder.stages, encoder.stages.dropFirst()) where finer.layers > 0 {
            try check(
                4 * finer.channels % coarser.channels == 0 && (downsampling == .conv || coarser.channels % 4 == 0), .encoderChannels,
                "cannot step from \(finer.channels) to \(coarser.channels): the shortcut averages whole groups of 4·\(finer.channels)")
        }
        for (finer, coarser) in zip(decoder.stages, decoder.stages.dropFirst()) where finer.layers > 0 {
            try check(
                4 * finer.channels % coarser.channels == 0, .decoderChannels,
                "cannot step from \(coarser.channels) to \(finer.channels): the shortcut repeats whole channels to 4·\(finer.channels)")
        }
        if hasEncoderShortcut {
            try check(encoder.lastChannels % latentChannels == 0, .encoderChannels, "must end in a multiple of latent_channels \(latentChannels)")
        }
        if hasDecoderShortcut {
            try check(decoder.hasLayers, .decoderShortcut, "needs a network to pass by")
            try check(decoder.lastChannels % latentChannels == 0, .decoderChannels, "must end in a multiple of latent_channels \(latentChannels)")
        }
    }
}

extension DCAEConfiguration.Half {
    fileprivate typealias Values<Key: CodingKey> = KeyedDecodingContainer<Key>

    /// Reads one half; a single value stands for all stages.
    fileprivate init<Key: CodingKey>(
        _ values: Values<Key>, blocks: Key, channels: Key, layers: Key, scales: Key, defaultLayers: [Int], norms: Key?, activations: Key?
    ) throws {
        let channels = try values.decodeIfPresent([Int].self, forKey: channels) ?? [128, 256, 512, 512, 1024, 1024]
        let count = channels.count
        func perStage<Value: Decodable>(_ key: Key?, default value: [Value]) throws -> [Value] {
            guard let key, values.contains(key) else { return value.count == 1 ? Array(repeating: value[0], count: count) : value }
            let isList = (try? values.nestedUnkeyedContainer(forKey: key)) != nil
            return isList ? try values.decode([Value].self, forKey: key) : Array(repeating: try values.decode(Value.self, forKey: key), count: count)
        }
        func checked<Value>(_ list: [Value], _ key: Key) throws -> [Value] {
            guard list.count == count else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: values, debugDescription: "\(key.stringValue) has \(list.count) entries for \(count) stages")
            }
            return list
        }
        let blockKinds = try checked(perStage(blocks, default: [Block.Kind.residual]), blocks)
        let layerCounts = try checked(perStage(layers, default: defaultLayers), layers)
        let scaleLists = try checked(values.decodeIfPresent([[Int]].self, forKey: scales) ?? [[], [], [], [5], [5], [5]], scales)
        let normKinds = try checked(perStage(norms, default: [Normalization.Kind.rms]), norms ?? blocks)
        let activationKinds = try checked(perStage(activations, default: [Activation.silu]), activations ?? blocks)
        guard layerCounts.allSatisfy({ (0...64).contains($0) }), scaleLists.allSatisfy({ $0.allSatisfy { $0 % 2 == 1 && (1...15).contains($0) } })
        else {
            throw DecodingError.dataCorruptedError(
                forKey: layers, in: values, debugDescription: "layer counts must lie in 0…64 and attention scales must be odd and at most 15")
        }
        stages = (0..<count).map {
            Stage(
                channels: channels[$0], layers: layerCounts[$0], block: blockKinds[$0], scales: scaleLists[$0], norm: normKinds[$0],
                activation: activationKinds[$0])
        }
    }
}
