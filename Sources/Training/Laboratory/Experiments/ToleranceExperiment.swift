import Compute
import Jobs
import Networks
import TokenizerCore

/// How much noise a frozen decoder tolerates in its latents: the error that a quantiser may leave.
package struct ToleranceExperiment: Experiment {
    package enum Cell: Codable, Hashable, Sendable, CustomStringConvertible {
        /// Gaussian noise of this variance on every normalised element.
        case normalised(Double)
        /// Gaussian noise of equal variance on every raw element: so many times the mean variance of the elements.
        case raw(Double)
        /// Normalised noise of ``ToleranceExperiment/channelVariance`` on one channel alone.
        case channel(Int)

        package var description: String {
            switch self {
            case .normalised(let variance): "normalised noise \(Figure.text(variance))"
            case .raw(let share): "raw noise \(Figure.text(share))"
            case .channel(let channel): "channel \(channel)"
            }
        }
    }

    package struct Figures: Codable, Sendable {
        /// Mean squared error of the latents, as they are and normalised.
        package let rawMSE, normalisedMSE: Double
        package let pictures: PictureFigures
    }

    /// Noise on a single channel: enough to see, little enough to add up with that on others.
    static let channelVariance = 0.3
    private static let levels = [0, 0.003, 0.01, 0.02, 0.03, 0.06, 0.1, 0.2, 0.3, 0.6, 1]

    let domain: LatentDomain
    let normalizer: LatentNormalizer
    private let seed: UInt64

    /// - Throws: when there are no pictures to measure.
    package init(_ domain: LatentDomain, seed: UInt64) throws(ExperimentError) {
        guard !domain.originals.isEmpty else {
            throw ExperimentError("noise is judged by pictures: name the images with --images")
        }
        (self.domain, self.seed) = (domain, seed)
        normalizer = LatentNormalizer(fitting: domain.training)
    }

    package var cells: [Cell] {
        Self.levels.map(Cell.normalised) + Self.levels.dropFirst().map(Cell.raw) + (0..<domain.shape.channels).map(Cell.channel)
    }

    /// The mean over elements of their variance, in raw units squared.
    var meanVariance: Double { normalizer.deviation.sumOfSquares / Double(normalizer.deviation.count) }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) -> Figures? {
        let noisy = latents(cell)
        let (z, noisyZ) = (normalizer.normalize(domain.reporting), normalizer.normalize(noisy))
        return domain.pictures(of: noisy).map {
            Figures(
                rawMSE: SquaredError.loss(noisy.map, domain.reporting.map).value, normalisedMSE: SquaredError.loss(noisyZ.map, z.map).value,
                pictures: $0)
        }
    }

    /// The held-out latents with the noise of one cell. The draws are the same in every cell, so that curves are smooth.
    func latents(_ cell: Cell) -> Latents {
        let (deviations, channels) = (normalizer.deviation.values, domain.shape.channels)
        let scale: [Float] =
            switch cell {
            case .normalised(let variance): deviations.map { $0 * Float(variance.squareRoot()) }
            case .raw(let share): deviations.map { _ in Float((share * meanVariance).squareRoot()) }
            case .channel(let channel):
                deviations.enumerated().map { $0 % channels == channel ? $1 * Float(Self.channelVariance.squareRoot()) : 0 }
            }
        var noisy = domain.reporting
        let (images, shape) = (noisy.count, noisy.shape)
        var random = RandomSource(seed: seed, stream: RandomSource.stream(named: "tolerance"))
        // Drawn by channel, row and column: so they have always been.
        noisy.map.withMutablePointer { noisy in
            for image in 0..<images {
                for channel in 0..<channels {
                    for element in stride(from: channel, to: shape.count, by: channels) {
                        noisy[image * shape.count + element] += scale[element] * random.normal()
                    }
                }
            }
        }
        return noisy
    }
}

/// `{"kind":"normalised","value":0.1}`.
extension ToleranceExperiment.Cell {
    private enum Kind: String, Codable {
        case normalised, raw, channel
    }

    private enum Key: CodingKey {
        case kind, value
    }

    package init(from decoder: any Decoder) throws {
        let cell = try decoder.container(keyedBy: Key.self)
        self =
            switch try cell.decode(Kind.self, forKey: .kind) {
            case .normalised: .normalised(try cell.decode(Double.self, forKey: .value))
            case .raw: .raw(try cell.decode(Double.self, forKey: .value))
            case .channel: .channel(try cell.decode(Int.self, forKey: .value))
            }
    }

    package func encode(to encoder: any Encoder) throws {
        var cell = encoder.container(keyedBy: Key.self)
        switch self {
        case .normalised(let variance):
            try cell.encode(Kind.normalised, forKey: .kind)
            try cell.encode(variance, forKey: .value)
        case .raw(let share):
            try cell.encode(Kind.raw, forKey: .kind)
            try cell.encode(share, forKey: .value)
        case .channel(let channel):
            try cell.encode(Kind.channel, forKey: .kind)
            try cell.encode(channel, forKey: .value)
        }
    }
}
