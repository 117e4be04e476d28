import Compute
import Fitting
import Glibc
import Jobs
import Networks
import TokenizerCore

/// How much noise a frozen decoder tolerates in its latents: the error that a quantiser may leave.
package struct ToleranceExperiment: Experiment {
    package struct Options: Codable, Equatable, Sendable {
        /// Of the quantisers, and of ideal codes at the same bits.
        package var tokens: [Int]
        package var codes: Int
        package var grouping: Grouping
        package var passes: Int
        package var seed: UInt64

        package init(tokens: [Int], codes: Int, grouping: Grouping, passes: Int, seed: UInt64) {
            (self.tokens, self.codes, self.grouping, self.passes, self.seed) = (tokens, codes, grouping, passes, seed)
        }

        /// - Throws: naming the option whose number is impossible.
        package func check() throws(ExperimentError) {
            for tokens in tokens { try ExperimentError.check([("--tokens", tokens, 1...1 << 26)]) }
            try ExperimentError.check([("--codes", codes, 2...1 << 24), ("--passes", passes, 0...1000)])
        }

        /// Of one image.
        func bits(_ tokens: Int) -> Double { Double(tokens) * log2(Double(codes)) }

        func quantizer(_ tokens: Int) -> QuantizerOptions { QuantizerOptions(tokens: tokens, codes: codes, grouping: grouping, sharing: .one) }
    }

    package enum Cell: Codable, Hashable, Sendable, CustomStringConvertible {
        /// Gaussian noise of this variance on every normalised element.
        case normalised(Double)
        /// Gaussian noise of equal variance on every raw element: so many times the mean variance of the elements.
        case raw(Double)
        /// Normalised noise of ``ToleranceExperiment/channelVariance`` on one channel alone.
        case channel(Int)
        /// What ideal codes would leave of white normalised latents at the bits of so many tokens.
        case ideal(Int)
        /// What a quantiser of so many tokens leaves, fitted on the domain's training part.
        case tokens(Int)

        var isOfOneChannel: Bool { if case .channel = self { true } else { false } }

        package var description: String {
            switch self {
            case .normalised(let variance): "normalised noise \(Figure.text(variance))"
            case .raw(let share): "raw noise \(Figure.text(share))"
            case .channel(let channel): "channel \(channel)"
            case .ideal(let tokens): "ideal codes at the bits of \(tokens) tokens"
            case .tokens(let tokens): "\(tokens) tokens"
            }
        }
    }

    package struct Figures: Codable, Sendable {
        /// Mean squared error of the latents, as they are and normalised.
        package let rawMSE, normalisedMSE: Double
        package let pictures: PictureFigures
        /// What the latents' error stands for, of an image; nil for noise of a chosen variance.
        package var bits: Double?
        /// Measured without noise, where it can be.
        package var jacobian: JacobianNorms?
    }

    /// Noise on a single channel: enough to see, little enough to add up with that on others.
    static let channelVariance = 0.3
    private static let levels = [0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.06, 0.1, 0.2, 0.3, 0.6, 1]

    let domain: LatentDomain
    let normalizer: LatentNormalizer
    let options: Options
    /// Numbers of tokens that the latents do not allow, with the reason.
    let refusals: [String]
    private let possible: [Int]

    /// - Throws: when there are no pictures to measure.
    package init(_ domain: LatentDomain, _ options: Options) throws(ExperimentError) {
        guard !domain.originals.isEmpty else {
            throw ExperimentError("noise is judged by pictures: name the images with --images")
        }
        var (possible, refusals): ([Int], [String]) = ([], [])
        for tokens in options.tokens {
            do throws(ExperimentError) {
                try domain.check(options.quantizer(tokens))
                possible.append(tokens)
            } catch {
                refusals.append("\(tokens) tokens: \(error)")
            }
        }
        (self.domain, self.options, self.possible, self.refusals) = (domain, options, possible, refusals)
        normalizer = LatentNormalizer(fitting: domain.training)
    }

    package var cells: [Cell] {
        Self.levels.map(Cell.normalised) + Self.levels.dropFirst().map(Cell.raw) + options.tokens.map(Cell.ideal) + possible.map(Cell.tokens)
            + (0..<domain.shape.channels).map(Cell.channel)
    }

    /// The mean over elements of their variance, in raw units squared.
    var meanVariance: Double { normalizer.deviation.sumOfSquares / Double(normalizer.deviation.count) }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> Figures? {
        guard let changed = try latents(cell, isStopRequested: isStopRequested) else { return nil }
        let (z, changedZ) = (normalizer.normalize(domain.reporting), normalizer.normalize(changed))
        guard let pictures = domain.pictures(of: changed) else { return nil }
        var figures = Figures(
            rawMSE: SquaredError.mean(changed.map, domain.reporting.map), normalisedMSE: SquaredError.mean(changedZ.map, z.map), pictures: pictures)
        switch cell {
        case .normalised(0) where JacobianNorms.areKnown(of: domain.vae.decoder):
            figures.jacobian = JacobianNorms(
                of: domain.vae.decoder, at: domain.reporting, normalizer, seed: options.seed, isStopRequested: isStopRequested)
            guard figures.jacobian != nil else { return nil }
        case .ideal(let tokens): figures.bits = options.bits(tokens)
        case .tokens(let tokens):
            figures.bits = options.bits(tokens)
            try domain.keepSample(of: changed, cell)
        default: break
        }
        return figures
    }

    /// The held-out latents as one cell leaves them. The draws of noise are the same in every cell, so that curves are smooth.
    /// - Returns: nil when a stop was requested before a quantiser was fitted.
    func latents(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> Latents? {
        let (deviations, channels) = (normalizer.deviation.values, domain.shape.channels)
        func normalised(_ variance: Double) -> [Float] { deviations.map { $0 * Float(variance.squareRoot()) } }
        switch cell {
        case .normalised(let variance): return adding(normalised(variance), to: domain.reporting)
        case .raw(let share): return adding(deviations.map { _ in Float((share * meanVariance).squareRoot()) }, to: domain.reporting)
        case .channel(let channel):
            let all = normalised(Self.channelVariance)
            return adding(all.indices.map { $0 % channels == channel ? all[$0] : 0 }, to: domain.reporting)
        case .ideal(let tokens):
            // Rate–distortion theory's forward test channel: of each number 1 − s is left, and noise of variance s(1 − s) joins it.
            let share = RateDistortion.shannon(rate: options.bits(tokens) / Double(domain.shape.count))
            var z = normalizer.normalize(domain.reporting)
            z.map.multiply(by: Float(1 - share))
            return adding(normalised(share * (1 - share)), to: normalizer.restore(z))
        case .tokens(let tokens):
            let fit = try LloydFit(
                options.quantizer(tokens), in: domain, passes: options.passes, seed: options.seed, isStopRequested: isStopRequested)
            return fit.map { fit in
                let normalizer = fit.design.normalizer
                return normalizer.restore(fit.quantizer.latents(fit.quantizer.tokens(normalizer.normalize(domain.reporting))))
            }
        }
    }

    /// - Parameter scale: the noise's deviation, of each element of an image.
    private func adding(_ scale: [Float], to latents: Latents) -> Latents {
        var noisy = latents
        let (images, shape, channels) = (noisy.count, noisy.shape, noisy.shape.channels)
        var random = RandomSource(seed: options.seed, stream: RandomSource.stream(named: "tolerance"))
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
        case normalised, raw, channel, ideal, tokens
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
            case .ideal: .ideal(try cell.decode(Int.self, forKey: .value))
            case .tokens: .tokens(try cell.decode(Int.self, forKey: .value))
            }
    }

    package func encode(to encoder: any Encoder) throws {
        var cell = encoder.container(keyedBy: Key.self)
        func write(_ kind: Kind, _ value: some Encodable) throws {
            try cell.encode(kind, forKey: .kind)
            try cell.encode(value, forKey: .value)
        }
        switch self {
        case .normalised(let variance): try write(.normalised, variance)
        case .raw(let share): try write(.raw, share)
        case .channel(let channel): try write(.channel, channel)
        case .ideal(let tokens): try write(.ideal, tokens)
        case .tokens(let tokens): try write(.tokens, tokens)
        }
    }
}
