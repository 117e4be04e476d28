import Compute
import Jobs
import Networks
import TokenizerCore

/// The errors of ``LatentQuality`` as means over pictures, with their intervals.
package struct LatentErrors: Codable, Equatable, Sendable {
    /// Mean squared error of the normalised latents after the quantiser, and after the rectifier.
    package let quantized, rectified: PictureMean

    private static let batch = 64
    /// Below this share of the training error a held-out error is too good to be true.
    private static let leastShare = 0.9

    /// - Parameters:
    ///   - latents: normalised.
    ///   - sources: the pictures that they are of.
    package init(of latents: Latents, _ sources: [PictureKey], _ quantizer: GroupQuantizer, _ rectifier: Rectifier) {
        var (quantized, rectified): ([Double], [Double]) = ([], [])
        for z in latents.batches(of: Self.batch) {
            let q = quantizer.latents(quantizer.tokens(z))
            quantized += Self.errors(q, z)
            rectified += rectifier.configuration.network == .identity ? quantized.suffix(z.count) : Self.errors(rectifier(q), z)
        }
        (self.quantized, self.rectified) = (PictureMean(quantized, of: sources), PictureMean(rectified, of: sources))
    }

    private static func errors(_ a: Latents, _ b: Latents) -> [Double] {
        (0..<a.count).map { SquaredError.mean(a.images($0..<$0 + 1).map, b.images($0..<$0 + 1).map) }
    }

    /// A warning where latents that were not learned from do much better than those that were: then they are easier, and flatter the result.
    func suspicion(training: LatentQuality) -> String? {
        guard quantized.mean < Self.leastShare * training.quantizedMSE, quantized.high ?? quantized.mean < training.quantizedMSE else { return nil }
        let share = Int(((1 - quantized.mean / training.quantizedMSE) * 100).rounded())
        return
            "warning: the held-out error is \(share) % below the training error: the pictures that are reported on are unlike those that were trained "
            + "on, or too few, and the figures say little about others"
    }
}

extension PictureMean {
    /// The mean and its interval, such as `25.28 [24.90, 25.71]`.
    /// - Parameter format: of each number.
    package func text(_ format: (Double) -> String = Figure.text) -> String {
        guard let low, let high else { return "\(format(mean)) (one picture, no interval)" }
        return "\(format(mean)) [\(format(low)), \(format(high))]"
    }

    /// The same in dB.
    package var decibels: String {
        guard low != nil else { return text { "\(Figure.decimals($0, 2)) dB" } }
        return "\(Figure.decimals(mean, 2)) dB \(text { Figure.decimals($0, 2) }.drop { $0 != "[" })"
    }
}
