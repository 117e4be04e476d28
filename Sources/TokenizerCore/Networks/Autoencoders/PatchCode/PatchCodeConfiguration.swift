import Compute

/// A linear code of square patches, and what corrects it: a network beside it, a refiner of the pictures, or nothing.
///
/// Not in diffusers: it lets a small network start from principal components instead of from nothing.
package struct PatchCodeConfiguration: AutoencoderFamily {
    package static let className = "PatchSkipAutoencoderDC"
    package static let ownKeys: Set<String> = ["decoder_refiner"]

    /// The shape of a ``PictureRefiner``.
    package struct Refiner: Sendable, Equatable, Codable {
        /// The side of the tiles of pixels that become positions.
        package var factor: Int
        package var channels: Int
        package var layers: Int
        /// What follows at twice the resolution each, the coarsest first. Without them the tiles are drawn at once, pixel for pixel.
        package var scales: [Scale]?

        package init(factor: Int, channels: Int, layers: Int, scales: [Scale]? = nil) {
            (self.factor, self.channels, self.layers, self.scales) = (factor, channels, layers, scales)
        }

        /// One of ``scales``.
        package struct Scale: Sendable, Equatable, Codable {
            package var channels: Int
            package var layers: Int

            package init(channels: Int, layers: Int) {
                (self.channels, self.layers) = (channels, layers)
            }
        }

        /// The side of the tiles that are drawn in the end.
        var lastFactor: Int { factor >> (scales?.count ?? 0) }
        var lastChannels: Int { scales?.last?.channels ?? channels }

        fileprivate var hasPossibleSizes: Bool {
            let scales = scales ?? []
            let sizes = [Scale(channels: channels, layers: layers)] + scales
            return layers >= 1 && sizes.allSatisfy { (1...16384).contains($0.channels) && (0...64).contains($0.layers) }
        }

        fileprivate var hasPossibleScales: Bool {
            let count = scales?.count ?? 0
            return count < 16 && factor % (1 << count) == 0
        }
    }

    /// The network that runs beside the code, of the same factor and latent channels; the code stands alone where no stage of a half has
    /// layers.
    package var network: DCAEConfiguration
    /// What corrects the decoder's pictures.
    package var refiner: Refiner?

    /// Whether the encoder has more than the linear code.
    package var hasEncoderNetwork: Bool { network.encoder.hasLayers }

    package var imageChannels: Int { network.imageChannels }
    package var latentChannels: Int { network.latentChannels }
    package var factor: Int { network.factor }

    package init(network: DCAEConfiguration, refiner: Refiner?) {
        (self.network, self.refiner) = (network, refiner)
    }

    package func encoder(_ initializer: inout Initializer) -> AnyLayer { AnyLayer(PatchCodeEncoder(self, &initializer)) }
    package func decoder(_ initializer: inout Initializer) -> AnyLayer { AnyLayer(PatchCodeDecoder(self, &initializer)) }

    /// The refiner; without one, the network's.
    package var decoderTail: [String] { refiner == nil ? network.decoderTail : ["refiner."] }
}

/// The keys of DC-AE, and its own beside them.
extension PatchCodeConfiguration {
    private enum Key: String, CodingKey {
        case encoderShortcut = "encoder_out_shortcut"
        case refiner = "decoder_refiner"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(network: try DCAEConfiguration(unchecked: decoder), refiner: try values.decodeIfPresent(Refiner.self, forKey: .refiner))
        try network.validate(decoder, mayBeEmpty: true)
        func check(_ holds: Bool, _ key: Key, _ expected: String) throws {
            guard holds else { throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "\(key.rawValue) \(expected)") }
        }
        try check(!network.hasEncoderShortcut, .encoderShortcut, "must be false beside a patch code, which takes the shortcut's place")
        guard let refiner else { return }
        try check(
            refiner.factor >= 1 && factor % refiner.factor == 0, .refiner, "must have a factor that divides the autoencoder's \(factor)")
        try check(refiner.hasPossibleSizes, .refiner, "must have 1…16384 channels and 1…64 layers")
        try check(refiner.hasPossibleScales, .refiner, "must have a factor that its scales can halve, one after the other")
    }

    package func encode(to encoder: any Encoder) throws {
        try network.encode(to: encoder)
        var values = encoder.container(keyedBy: Key.self)
        try values.encodeIfPresent(refiner, forKey: .refiner)
    }
}

extension AutoencoderConfiguration {
    package func differsOnlyInRefiner(from other: AutoencoderConfiguration) -> Bool {
        guard let own = family as? PatchCodeConfiguration, var same = other.family as? PatchCodeConfiguration else { return self == other }
        same.refiner = own.refiner
        return own == same
    }
}
