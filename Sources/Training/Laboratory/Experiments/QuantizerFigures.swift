import Fitting
import TokenizerCore

/// What one fitted quantiser of an experiment achieves.
package struct QuantizerFigures: Codable, Sendable {
    package let bits: Double
    /// On latents that were not learned from; and on those that were, without the rectifier.
    package let heldOut, training: LatentQuality
    package let bounds: QuantizerBounds?
    /// Of held-out images, where they were given.
    package let pictures: PictureFigures?

    /// - Parameter cell: whose pictures are kept.
    init(_ fit: LloydFit, in domain: LatentDomain, _ cell: some CustomStringConvertible) throws(ExperimentError) {
        let z = fit.design.normalizer.normalize(domain.reporting)
        let q = fit.quantizer.latents(fit.quantizer.tokens(z))
        bits = fit.design.layout.bits
        (heldOut, training, bounds) = (fit.quality, fit.trainingQuality, fit.bounds)
        let drawn = fit.design.normalizer.restore(q)
        pictures = domain.pictures(of: drawn)
        try domain.keepSample(of: drawn, cell)
    }

    init(bits: Double, heldOut: LatentQuality, training: LatentQuality, pictures: PictureFigures?) {
        (self.bits, self.heldOut, self.training, self.pictures, bounds) = (bits, heldOut, training, pictures, nil)
    }
}

extension LloydFit {
    /// Fitted in an experiment's domain, with its autoencoder.
    /// - Returns: nil when a stop was requested before it was finished.
    init?(
        _ options: QuantizerOptions, in domain: LatentDomain, passes: Int, seed: UInt64, isStopRequested: () -> Bool
    ) throws(ExperimentError) {
        do throws(GroupQuantizer.LayoutError) {
            try self.init(
                options, training: domain.training, heldOut: domain.reporting, decoder: domain.probe, passes: passes, seed: seed,
                isStopRequested: isStopRequested)
        } catch {
            throw ExperimentError(error.description)
        }
    }
}

extension LatentDomain {
    /// Refuses what cannot be fitted here, before any work.
    func check(_ options: QuantizerOptions) throws(ExperimentError) {
        do throws(GroupQuantizer.LayoutError) {
            try options.check(shape, images: training.count, hasAutoencoder: true)
        } catch {
            throw ExperimentError(error.description)
        }
    }
}
