import Compute
import Networks
import TokenizerCore

/// A quantiser fitted by Lloyd's algorithm in memory, with its figures: what experiments compare.
package struct LloydFit {
    package let design: QuantizerDesign
    package let quantizer: GroupQuantizer
    /// On the held-out latents, and on those that were learned from; without a rectifier.
    package let quality, trainingQuality: LatentQuality
    package let bounds: QuantizerBounds?

    /// - Parameters:
    ///   - training: raw latents to learn from.
    ///   - heldOut: raw latents to measure on.
    ///   - decoder: of the autoencoder that made them; the weighted distortion needs it.
    ///   - passes: of Lloyd's algorithm, for each stage.
    ///   - seed: equal seeds and latents give equal bits.
    /// - Returns: nil when a stop was requested before it was finished.
    /// - Throws: what is impossible about the options.
    package init?(
        _ options: QuantizerOptions, training: Latents, heldOut: Latents, decoder: DecoderProbe?, passes: Int,
        reset: CodebookReset = .distortion, seed: UInt64, isStopRequested: () -> Bool
    ) throws(GroupQuantizer.LayoutError) {
        try options.check(training.shape, images: training.count, hasAutoencoder: decoder != nil)
        let found = try QuantizerDesign(
            options, training: SharedLatents(training), decoder: decoder, seed: seed, isStopRequested: isStopRequested)
        guard let design = found else { return nil }
        self.design = design
        let (learned, unseen) = (design.normalizer.normalize(training), design.normalizer.normalize(heldOut))
        let vectors = design.vectors(learned)
        let start = GroupQuantizer(
            design.layout, shape: training.shape, transform: design.transform, start: options.start, from: SharedRows(of: vectors), seed: seed,
            stages: passes > 0 ? 1 : nil, isStopRequested: isStopRequested)
        guard let start else { return nil }
        var trainer = LloydTrainer(start, passes: passes, start: options.start, reset: reset, seed: seed)
        for pass in 0..<passes * design.layout.stages {
            guard trainer.advance(on: vectors, pass: pass, isStopRequested: isStopRequested) != nil else { return nil }
        }
        quantizer = trainer.quantizer
        quality = LatentQuality(of: unseen, quantizer, .none)
        trainingQuality = LatentQuality(of: learned, quantizer, .none)
        bounds = QuantizerBounds(design, latents: learned.spread(QuantizerDesign.measuredImages))
    }
}
