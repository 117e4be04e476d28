import Jobs
import TokenizerCore

extension CheckpointManifest.Metrics {
    /// Noise of this variance in normalised latents is what decoders were found to tolerate. Source: ReVQ (arXiv 2507.10547), 0.3 in its
    /// latents' own units.
    private static let toleratedMSE = 0.062
    /// In dB.
    private static let tolerableLoss = 3.0

    /// A warning, when the latents survive quantisation well and the pictures do not.
    var alarm: String? {
        let loss = vaePSNR - psnr
        guard rectifiedMSE <= Self.toleratedMSE, loss > Self.tolerableLoss else { return nil }
        return "warning: pictures lose \(Figure.text(loss)) dB to the tokens although the latents' error is only \(Figure.text(rectifiedMSE)): "
            + "this decoder does not tolerate it; try --distortion weighted"
    }
}
