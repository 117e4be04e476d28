/// The autoencoder of Stable Diffusion 1 to 3 and of FLUX. Its latents are the means that the encoder gives; what it says about their variance is
/// not used.
///
/// They are not multiplied by `scaling_factor`, nor moved by `shift_factor`, which are for the diffusion models behind them: a quantiser's
/// normaliser measures its own.
///
/// Source: diffusers `AutoencoderKL.__init__`, whose defaults absent keys have.
package struct KLConfiguration: LatentDiffusionFamily {
    package static let className = "AutoencoderKL"

    package var architecture: LatentDiffusionArchitecture
}

extension KLConfiguration {
    private enum Key: String, CodingKey {
        case hasProjection = "use_quant_conv"
        case hasProjectionBack = "use_post_quant_conv"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        architecture = try LatentDiffusionArchitecture(from: decoder, defaultLatentChannels: 4)
        architecture.encodedChannels = 2 * latentChannels
        architecture.projectedChannels = try values.decodeIfPresent(Bool.self, forKey: .hasProjection) ?? true ? 2 * latentChannels : nil
        architecture.hasProjectionBack = try values.decodeIfPresent(Bool.self, forKey: .hasProjectionBack) ?? true
    }

    package func encode(to encoder: any Encoder) throws {
        try architecture.encode(to: encoder, latentChannels: latentChannels)
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(architecture.projectedChannels != nil, forKey: .hasProjection)
        try values.encode(architecture.hasProjectionBack, forKey: .hasProjectionBack)
    }
}
