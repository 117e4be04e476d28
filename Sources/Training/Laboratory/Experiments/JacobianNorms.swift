import Compute
import Networks
import TokenizerCore

/// How strongly a frozen decoder's picture reacts to its latents, to first order: the squared norms of its Jacobian's columns, by latent channel.
///
/// With random signs u on the picture's values, what one pass back brings to the latents, Jᵀu, has E[(Jᵀu)ᵢ²] = ‖J eᵢ‖². A pass so estimates all
/// columns at once, without bias and without a step size; of a channel's sum it errs by about √2 over the root of sites × images × passes.
///
/// Source: Hutchinson's estimator, of a diagonal: Bekas, Kokiopoulou and Saad, "An estimator for the diagonal of a matrix" (2007).
package struct JacobianNorms: Codable, Equatable, Sendable {
    /// For each channel E‖J v‖² over the number of the picture's values, which are taken in 0 … 1 and before they are clipped: what noise v of
    /// variance 1 on every element of the channel adds to the mean squared error. The noise is of raw elements, and of normalised ones.
    let raw, normalised: [Double]

    /// Noise on all channels adds the sum.
    var rawTotal: Double { raw.reduce(0, +) }
    var normalisedTotal: Double { normalised.reduce(0, +) }

    /// Between 1, where one channel is all that the decoder feels, and all of them: (Σ g)² / Σ g².
    var channelsFelt: Double { normalisedTotal * normalisedTotal / normalised.reduce(0) { $0 + $1 * $1 } }

    /// The latents that the decoder is looked at, and passes back at each.
    private static let images = 8, passes = 4

    /// Batch norms keep a pass back from being the decoder's own: they would use the statistics of the picture at hand.
    static func areKnown(of decoder: AnyLayer) -> Bool { decoder.tensors.allSatisfy { $0.role != .measured } }

    /// - Parameters:
    ///   - latents: where the decoder is looked at: some of these, raw.
    ///   - seed: of the signs.
    /// - Returns: nil when a stop was requested before all were looked at.
    /// - Precondition: ``areKnown(of:)``.
    init?(of decoder: AnyLayer, at latents: Latents, _ normalizer: LatentNormalizer, seed: UInt64, isStopRequested: () -> Bool) {
        precondition(Self.areKnown(of: decoder), "the Jacobian of a decoder with batch norms")
        let (count, channels) = (min(Self.images, latents.count), latents.shape.channels)
        let root = RandomSource(seed: seed, stream: RandomSource.stream(named: "jacobian"))
        var squares = [Double](repeating: 0, count: latents.shape.count)
        var values = 0
        // Weights' gradients come with a pass, and nobody reads them.
        var unread = decoder.zeroed()
        for image in 0..<count {
            var kept = Tape.keeping
            let picture = decoder.forward(latents.images(at: [image * latents.count / count]).map, keeping: &kept)
            values = picture.count
            for pass in 0..<Self.passes {
                guard !isStopRequested() else { return nil }
                var (random, tape) = (root.substream(UInt64(image * Self.passes + pass)), kept)
                let signs = Tensor((0..<values).map { _ in random.chance(0.5) ? 1 : -1 }, shape: picture.shape)
                let slope = decoder.backward(signs, from: &tape, into: &unread)
                for (element, value) in slope.values.enumerated() { squares[element] += Double(value) * Double(value) }
            }
        }
        // Decoders draw values in −1 … 1, whose squared changes are four times as large.
        let scale = 1 / Double(4 * values * count * Self.passes)
        let deviation = normalizer.deviation.values
        var (raw, normalised) = ([Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
        for (element, square) in squares.enumerated() {
            raw[element % channels] += scale * square
            normalised[element % channels] += scale * square * Double(deviation[element]) * Double(deviation[element])
        }
        (self.raw, self.normalised) = (raw, normalised)
    }
}
