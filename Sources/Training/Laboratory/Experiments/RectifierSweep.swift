import Compute
import Files
import Fitting
import Images
import Jobs
import Networks
import TokenizerCore

/// Which network corrects quantised latents best, and at which rates one is worth having.
package struct RectifierSweep: Experiment {
    package struct Options: Codable, Equatable, Sendable {
        /// Token counts, groupings and numbers of stages: each combination has a quantiser of its own that all rectifiers share.
        package var tokens: [Int]
        package var groupings: [Grouping]
        package var stages: [Int]
        package var codes: Int
        package var distortion: QuantizerOptions.Distortion
        /// Passes of Lloyd's algorithm for the codes.
        package var passes: Int
        /// Of gradient steps for the rectifiers.
        package var epochs: Int
        package var batch: Int
        /// As in `fit`: rectifiers learn with a twentieth of it.
        package var learningRate: Float
        /// Of the networks: channels, blocks, and channels of an attention head.
        package var width, depth, head: Int
        package var rectifiers: Rectifiers
        package var seed: UInt64

        package init(
            tokens: [Int], groupings: [Grouping] = [.strip], stages: [Int] = [1], codes: Int,
            distortion: QuantizerOptions.Distortion = .normalised, passes: Int, epochs: Int, batch: Int, learningRate: Float, width: Int, depth: Int,
            head: Int, rectifiers: Rectifiers = Rectifiers(), seed: UInt64
        ) {
            (self.tokens, self.groupings, self.stages, self.codes, self.distortion) = (tokens, groupings, stages, codes, distortion)
            (self.passes, self.epochs, self.batch, self.rectifiers) = (passes, epochs, batch, rectifiers)
            (self.learningRate, self.width, self.depth, self.head, self.seed) = (learningRate, width, depth, head, seed)
        }

        /// Those that are tried beside none.
        package struct Rectifiers: Codable, Equatable, Sendable {
            package var kinds: [Kind]
            package var forms: [Form]
            /// Of what is trained by steps.
            package var losses: [Loss]
            /// The network that looks at what is drawn.
            package var perceptual: PictureLoss.Options.Term?

            package init(
                kinds: [Kind] = [.linear, .mlp, .cnn, .vit], forms: [Form] = Form.allCases, losses: [Loss] = [.latent],
                perceptual: PictureLoss.Options.Term? = nil
            ) {
                (self.kinds, self.forms, self.losses, self.perceptual) = (kinds, forms, losses, perceptual)
            }
        }

        /// - Throws: what is impossible whatever the latents are.
        package func check() throws(ExperimentError) {
            guard !tokens.isEmpty else { throw ExperimentError("--tokens names one number at least") }
            guard rectifiers.losses.contains(.perceptual) == (rectifiers.perceptual != nil) else {
                throw ExperimentError("--rectifier-losses perceptual and --perceptual, the network's file, go together")
            }
            let batches = 1...QuantizerTrainer.mostBatchImages
            try ExperimentError.check(
                [("--passes", passes, 0...1000), ("--epochs", epochs, 1...10_000), ("--batch", batch, batches)], learningRate: learningRate)
        }
    }

    /// The kinds of rectifiers, in the order of reports.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case identity, linear, mlp, cnn, vit
    }

    package enum Form: String, Codable, Sendable, CaseIterable {
        case plain, residual
    }

    /// What a network is trained by, as in `fit`.
    package enum Loss: String, Codable, Sendable, CaseIterable {
        case latent, pixel, perceptual
    }

    /// What quantises the latents.
    struct Codes: Hashable, CustomStringConvertible {
        let tokens: Int
        /// Nil for strips.
        let grouping: Grouping?
        /// Nil for one.
        let stages: Int?
        var description: String { "\(tokens) tokens\(kind)" }
        var kind: String { (grouping.map { " of \($0.name)" } ?? "") + (stages.map { " in \($0) stages" } ?? "") }
    }

    package struct Cell: Codable, Hashable, Sendable, CustomStringConvertible {
        package let tokens: Int
        /// Nil for strips.
        package var grouping: Grouping?
        /// Nil for one.
        package var stages: Int?
        package let kind: Kind
        package let isResidual: Bool
        /// Nil for the latents' error.
        package var loss: Loss?

        package var description: String { "\(codes), \(name)" }
        var codes: Codes { Codes(tokens: tokens, grouping: grouping, stages: stages) }
        var name: String { kind.rawValue + (isResidual ? ", residual" : "") + (loss.map { ", \($0.rawValue) loss" } ?? "") }

        init(_ codes: Codes, _ kind: Kind, isResidual: Bool = false, loss: Loss? = nil) {
            (tokens, grouping, stages) = (codes.tokens, codes.grouping, codes.stages)
            (self.kind, self.isResidual, self.loss) = (kind, isResidual, loss)
        }
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
    /// Those that can be fitted, and why the others cannot, a line each.
    let codes: [Codes]
    let refusals: [String]
    private let losses: [Loss: PictureLoss]
    /// The quantiser of the latest cell, and what the decoder draws of its tokens; the next one mostly has the same.
    private var latest: (codes: Codes, fit: LloydFit, pictures: [RGBImage])?

    /// - Throws: what is impossible about the options.
    package init(_ domain: LatentDomain, _ options: Options) throws(ExperimentError) {
        (self.domain, self.options) = (domain, options)
        try options.check()
        (codes, refusals) = try Self.possible(options, in: domain)
        losses = try Self.losses(options.rectifiers)
        do throws(RectifierConfiguration.ConfigurationError) {
            for kind in options.rectifiers.kinds { try configuration(kind, isResidual: false).validate(for: domain.shape) }
        } catch {
            throw ExperimentError(error.description)
        }
    }

    /// Of the combinations that were named.
    private static func possible(
        _ options: Options, in domain: LatentDomain
    ) throws(ExperimentError) -> (codes: [Codes], refusals: [String]) {
        let all = options.tokens.flatMap { tokens in
            options.groupings.flatMap { grouping in
                options.stages.map { Codes(tokens: tokens, grouping: grouping == .strip ? nil : grouping, stages: $0 == 1 ? nil : $0) }
            }
        }
        var (codes, refusals): ([Codes], [String]) = ([], [])
        for each in all {
            do throws(ExperimentError) {
                try domain.check(options.quantizer(each))
                codes.append(each)
            } catch {
                refusals.append("\(each): \(error)")
            }
        }
        guard !codes.isEmpty else { throw ExperimentError("no combination is possible; \(refusals.first ?? "none was named")") }
        return (codes, refusals)
    }

    /// What is drawn is compared by these.
    private static func losses(_ rectifiers: Options.Rectifiers) throws(ExperimentError) -> [Loss: PictureLoss] {
        var losses: [Loss: PictureLoss] = [:]
        do throws(FileError) {
            if rectifiers.losses.contains(.pixel) { losses[.pixel] = try PictureLoss(.squaredError) }
            if let term = rectifiers.perceptual { losses[.perceptual] = try PictureLoss(.init(distance: .mse, perceptual: [term])) }
        } catch {
            throw ExperimentError(error.description)
        }
        return losses
    }

    /// The quantiser alone comes first.
    package var cells: [Cell] { codes.flatMap { [Cell($0, .identity)] + rectifiers(behind: $0) } }

    /// Every rectifier behind the same codes, in the order of legends.
    func rectifiers(behind codes: Codes) -> [Cell] {
        options.rectifiers.kinds.filter { $0 != .identity }.flatMap { kind in
            options.rectifiers.forms.flatMap { form in
                let losses = configuration(kind, isResidual: false).network.isTrained ? options.rectifiers.losses : [.latent]
                return losses.map { Cell(codes, kind, isResidual: form == .residual, loss: $0 == .latent ? nil : $0) }
            }
        }
    }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> Figures? {
        if latest?.codes != cell.codes {
            let fit = try LloydFit(
                options.quantizer(cell.codes), in: domain, passes: options.passes, seed: options.seed, isStopRequested: isStopRequested)
            guard let fit else { return nil }
            let z = fit.design.normalizer.normalize(domain.reporting)
            let quantized = fit.quantizer.latents(fit.quantizer.tokens(z))
            latest = (cell.codes, fit, domain.draw(fit.design.normalizer.restore(quantized)))
        }
        let (design, codes) = (latest!.fit.design, latest!.fit.quantizer)
        let (learned, chosen, unseen) = (
            design.normalizer.normalize(domain.training), design.normalizer.normalize(domain.choosing), design.normalizer.normalize(domain.reporting)
        )
        guard let (rectifier, epochs) = try rectifier(cell, behind: codes, design.normalizer, learned, chosen, isStopRequested) else { return nil }
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
        _ cell: Cell, behind codes: GroupQuantizer, _ normalizer: LatentNormalizer, _ learned: Latents, _ chosen: Latents,
        _ isStopRequested: () -> Bool
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
            loss: loss(cell, normalizer),
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

    private func loss(_ cell: Cell, _ normalizer: LatentNormalizer) -> RectifierLoss {
        guard let drawn = cell.loss.flatMap({ losses[$0] }) else { return .latents }
        return .pictures(DrawnDifference(domain.vae.decoder, normalizer, drawn))
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

extension RectifierSweep.Options {
    /// One codebook for all tokens of a stage.
    fileprivate func quantizer(_ kind: RectifierSweep.Codes) -> QuantizerOptions {
        QuantizerOptions(
            tokens: kind.tokens, codes: codes, grouping: kind.grouping ?? .strip, distortion: distortion, sharing: .one, stages: kind.stages)
    }
}
