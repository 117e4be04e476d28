import Compute
import Networks
import Synchronization
import TokenizerCore

/// A frozen decoder whose sensitivity at the same latents is asked for several times: what was measured once is remembered.
///
/// Designs that differ only in their groups or codebooks ask the same question, and for a large autoencoder the answer takes minutes.
package final class DecoderProbe: Sendable {
    private struct Answer {
        let box: LatentBox
        let deviation: [Float]
        let seed: UInt64
        let gram: SymmetricMatrix
    }

    private let decoder: AutoencoderDecoder
    /// Raw, `[n, C·H·W]`.
    private let latents: Tensor
    private let answers = Mutex<[Answer]>([])

    /// - Parameter latents: where the decoder is disturbed, raw, `[n, C·H·W]`.
    package init(_ decoder: AutoencoderDecoder, at latents: Tensor) {
        (self.decoder, self.latents) = (decoder, latents)
    }

    /// See ``DecoderSensitivity/gram``; nil when a stop was requested before it was measured.
    func gram(
        _ normalizer: LatentNormalizer, _ box: LatentBox, seed: UInt64, progress: (Int, Int) -> Void = { _, _ in }, isStopRequested: () -> Bool
    ) -> SymmetricMatrix? {
        let deviation = normalizer.deviation.values
        let known = answers.withLock { $0.first { $0.box == box && $0.deviation == deviation && $0.seed == seed } }
        if let known { return known.gram }
        let found = DecoderSensitivity(
            of: decoder, at: latents, normalizer, box, seed: seed, progress: progress, isStopRequested: isStopRequested)
        guard let measured = found else { return nil }
        answers.withLock { $0.append(Answer(box: box, deviation: deviation, seed: seed, gram: measured.gram)) }
        return measured.gram
    }
}
