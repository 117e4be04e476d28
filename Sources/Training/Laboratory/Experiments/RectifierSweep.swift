import Compute
import Fitting
import Images
import Jobs
import Networks
import TokenizerCore

/// Which network corrects quantised latents best, and at which rates one is worth having.
package struct RectifierSweep: Experiment {
    package struct Options: Codable, Equatable, Sendable {
        /// Token counts, each with a quantiser of its own that all rectifiers share.
        package var tokens: [Int]
        package var codes: Int
        /// Passes of Lloyd's algorithm for the codes.
        package var passes: Int
        /// Of gradient steps for the rectifiers.
        package var epochs: Int
        package var batch: Int
        /// As in `fit`: rectifiers learn with a twentieth of it.
        package var learningRate: Float
        /// Of the networks: channels, blocks, and channels of an attention head.
        package var width, depth, head: Int
        package var seed: UInt64

        package init(
            tokens: [Int], codes: Int, passes: Int, epochs: Int, batch: Int, learningRate: Float, width: Int, depth: Int, head: Int, seed: UInt64
        ) {
            (self.tokens, self.codes, self.passes, self.epochs, self.batch) = (tokens, codes, passes, epochs, batch)
            (self.learningRate, self.width, self.depth, self.head, self.seed) = (learningRate, width, depth, head, seed)
        }

        /// - Throws: what is impossible whatever the latents are.
        package func check() throws(ExperimentError) {
            guard !tokens.isEmpty else { throw ExperimentError("--tokens names one number at least") }
            let batches = 1...QuantizerTrainer.mostBatchImages
            try ExperimentError.check(
                [("--passes", passes, 0...1000), ("--epochs", epochs, 1...10_000), ("--batch", batch, batches)], learningRate: learningRate)
        }
    }

    /// The kinds of rectifiers, in the order of reports.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case identity, linear, mlp, cnn, vit
    }

    package struct Cell: Codable, Hashable, Sendable, CustomStringConvertible {
        package let tokens: Int
        package let kind: Kind
        package let isResidual: Bool
        package var description: String { "\(tokens) tokens, \(name)" }
        var name: String { kind.rawValue + (isResidual ? ", residual" : "") }
    }

    package struct Figures: Codable, Sendable {
        /// On the reporting part.
        package let quality: LatentQuality
        /// On as many of those that were learned from.
        package let training: LatentQuality
        /// The ``LatentQuality/rectifiedMSE`` of the choosing part after each epoch, to see whether training was long enough; empty for what is not
        /// trained by steps.
        package let epochs: [Double]
        package let parameters: Int
        package let pictures: PictureFigures?
        /// What the rectifier adds to the PSNR of each picture, in dB; nil without pictures, and in what earlier versions measured.
        package var gain: PictureMean?
        /// The quantiser's error on the choosing part, what ``epochs`` compare with; nil in what earlier versions measured.
        package var quantizedMSE: Double?

        /// A warning where latents come nearer and pictures do not.
        var alarm: String? {
            guard let gain, quality.rectifiedMSE < quality.quantizedMSE, parameters > 0, gain.low ?? gain.mean <= 0 else { return nil }
            return
                "latents come nearer (\(Figure.text(quality.quantizedMSE)) to \(Figure.text(quality.rectifiedMSE))), pictures do not: \(gain.decibels)"
        }

        /// By which share the last epoch changed the held-out error: far below 0 where training was too short.
        var lastChange: Double? { epochs.count < 2 ? nil : epochs[epochs.count - 1] / epochs[epochs.count - 2] - 1 }
    }

    let domain: LatentDomain
    let options: Options
    /// The quantiser of the latest cell, and what the decoder draws of its tokens; the next one mostly has the same.
    private var latest: (tokens: Int, fit: LloydFit, pictures: [RGBImage])?

    /// - Throws: what is impossible about the options.
    package init(_ domain: LatentDomain, _ options: Options) throws(ExperimentError) {
        (self.domain, self.options) = (domain, options)
        try options.check()
        for tokens in options.tokens { try domain.check(quantizer(tokens)) }
        do throws(RectifierConfiguration.ConfigurationError) {
            for kind in Kind.allCases { try configuration(kind, isResidual: false).validate(for: domain.shape) }
        } catch {
            throw ExperimentError(error.description)
        }
    }

    package var cells: [Cell] {
        options.tokens.flatMap { tokens in
            [Cell(tokens: tokens, kind: .identity, isResidual: false)]
                + Kind.allCases.dropFirst().flatMap { kind in [false, true].map { Cell(tokens: tokens, kind: kind, isResidual: $0) } }
        }
    }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> Figures? {
        if latest?.tokens != cell.tokens {
            let fit = try LloydFit(
                quantizer(cell.tokens), in: domain, passes: options.passes, seed: options.seed, isStopRequested: isStopRequested)
            guard let fit else { return nil }
            let z = fit.design.normalizer.normalize(domain.reporting)
            let quantized = fit.quantizer.latents(fit.quantizer.tokens(z))
            latest = (cell.tokens, fit, domain.draw(fit.design.normalizer.restore(quantized)))
        }
        let (design, codes) = (latest!.fit.design, latest!.fit.quantizer)
        let (learned, chosen, unseen) = (
            design.normalizer.normalize(domain.training), design.normalizer.normalize(domain.choosing), design.normalizer.normalize(domain.reporting)
        )
        guard let (rectifier, epochs) = try rectifier(cell, behind: codes, learned, chosen, isStopRequested) else { return nil }
        let drawn = design.normalizer.restore(rectifier(codes.latents(codes.tokens(unseen))))
        let pictures = cell.kind == .identity ? latest!.pictures : domain.draw(drawn)
        try domain.keepSample(of: drawn, cell)
        let known = learned.images(0..<min(learned.count, unseen.count))
        return Figures(
            quality: LatentQuality(of: unseen, codes, rectifier),
            training: LatentQuality(of: known, codes, rectifier), epochs: epochs,
            parameters: rectifier.tensors.reduce(0) { $0 + ($1.role == .learned ? $1.tensor.count : 0) },
            pictures: domain.figures(of: pictures), gain: domain.gain(of: pictures, over: latest!.pictures),
            quantizedMSE: LatentQuality(of: chosen, codes, .none).quantizedMSE)
    }

    /// - Returns: the rectifier, and its error on the choosing part after each epoch.
    private func rectifier(
        _ cell: Cell, behind codes: GroupQuantizer, _ learned: Latents, _ chosen: Latents, _ isStopRequested: () -> Bool
    ) throws(ExperimentError) -> (Rectifier, epochs: [Double])? {
        let configuration = configuration(cell.kind, isResidual: cell.isResidual)
        if configuration.network.isSolved {
            return (LinearRectifierFit(configuration, behind: codes, training: learned, choosing: chosen).rectifier, [])
        }
        let start = Rectifier(configuration, shape: domain.shape, .random(seed: options.seed))
        guard configuration.network.isTrained else { return (start, []) }
        var trainer = QuantizerTrainer(
            codes, start,
            options: .init(epochs: options.epochs, batch: options.batch, learningRate: options.learningRate, reset: .none, movesCodes: false),
            imageCount: learned.count, seed: options.seed)
        var epochs: [Double] = []
        while trainer.step < trainer.totalSteps {
            if isStopRequested() { return nil }
            guard trainer.advance(on: learned).rectified.isFinite else {
                throw ExperimentError("the loss of \(cell) is no longer finite: lower --learning-rate")
            }
            if trainer.step % trainer.stepsPerEpoch == 0 {
                epochs.append(LatentQuality(of: chosen, codes, trainer.rectifier).rectifiedMSE)
            }
        }
        return (trainer.rectifier, epochs)
    }

    private func quantizer(_ tokens: Int) -> QuantizerOptions {
        QuantizerOptions(tokens: tokens, codes: options.codes, sharing: .one)
    }

    private func configuration(_ kind: Kind, isResidual: Bool) -> RectifierConfiguration {
        let network: RectifierConfiguration.Network =
            switch kind {
            case .identity: .identity
            case .linear: .linear(reach: .neighbourhood(size: 3))
            case .mlp: .mlp(width: options.width, depth: options.depth)
            case .cnn: .cnn(width: options.width, depth: options.depth, rank: max(1, options.width / 4))
            case .vit: .vit(width: options.width, depth: options.depth, headDimension: options.head, scales: [5])
            }
        return RectifierConfiguration(network, isResidual: isResidual)
    }
}
