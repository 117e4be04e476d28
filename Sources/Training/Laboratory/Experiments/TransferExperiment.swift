import Fitting
import Networks
import TokenizerCore

/// How a tokenizer that was fitted on one kind of pictures does on another: as it is, and with its statistics measured again.
package struct TransferExperiment: Experiment {
    package struct Options: Codable, Equatable, Sendable {
        package var quantizer: QuantizerOptions
        package var passes: Int
        package var seed: UInt64

        package init(quantizer: QuantizerOptions, passes: Int, seed: UInt64) {
            (self.quantizer, self.passes, self.seed) = (quantizer, passes, seed)
        }
    }

    package enum Cell: String, Codable, Hashable, Sendable, CustomStringConvertible, CaseIterable {
        /// Fitted and measured on the first domain.
        case home
        /// Fitted on the first, measured on the second as it is.
        case kept
        /// Codes fitted on the first; means, deviations, transform and scales measured on the second.
        case refitted
        /// Fitted and measured on the second domain: what a transfer can hope for.
        case native

        package var description: String {
            switch self {
            case .home: "fitted on the first domain, measured on the first"
            case .kept: "fitted on the first domain, measured on the second, statistics kept"
            case .refitted: "fitted on the first domain, measured on the second, statistics refitted"
            case .native: "fitted on the second domain, measured on the second"
            }
        }
    }

    private let first, second: LatentDomain
    private let options: Options
    /// The quantiser of the first domain, once it is fitted.
    private var fit: LloydFit?

    package var cells: [Cell] { Cell.allCases }

    /// - Throws: when the domains are not of one autoencoder and size, or one has too few images.
    package init(from first: LatentDomain, to second: LatentDomain, _ options: Options) throws(ExperimentError) {
        guard first.shape == second.shape else {
            throw ExperimentError("latents of \(first.shape) and \(second.shape) do not share a quantiser: extract both with the same size")
        }
        guard (0...1000).contains(options.passes) else { throw ExperimentError("--passes is in 0...1000, not \(options.passes)") }
        try first.check(options.quantizer)
        try second.check(options.quantizer)
        (self.first, self.second, self.options) = (first, second, options)
    }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> QuantizerFigures? {
        if cell == .native {
            guard let native = try fitted(in: second, passes: options.passes, isStopRequested) else { return nil }
            return try QuantizerFigures(native, in: second, cell)
        }
        if fit == nil { fit = try fitted(in: first, passes: options.passes, isStopRequested) }
        guard let fit else { return nil }
        switch cell {
        case .home: return try QuantizerFigures(fit, in: first, cell)
        case .kept: return try figures(cell, fit.design.normalizer, fit.quantizer)
        default:
            guard let design = try fitted(in: second, passes: 0, isStopRequested)?.design else { return nil }
            let quantizer = GroupQuantizer(
                design.layout, shape: second.shape, transform: design.transform, codebooks: fit.quantizer.codebooks)
            return try figures(cell, design.normalizer, quantizer)
        }
    }

    private func fitted(in domain: LatentDomain, passes: Int, _ isStopRequested: () -> Bool) throws(ExperimentError) -> LloydFit? {
        try LloydFit(options.quantizer, in: domain, passes: passes, seed: options.seed, isStopRequested: isStopRequested)
    }

    /// On the second domain, in its own units of normalised latents, so that errors compare.
    private func figures(_ cell: Cell, _ normalizer: LatentNormalizer, _ quantizer: GroupQuantizer) throws(ExperimentError) -> QuantizerFigures {
        let (learned, unseen) = (normalizer.normalize(second.training), normalizer.normalize(second.reporting))
        let drawn = normalizer.restore(quantizer.latents(quantizer.tokens(unseen)))
        try second.keepSample(of: drawn, cell)
        return QuantizerFigures(
            bits: quantizer.layout.bits, heldOut: LatentQuality(of: unseen, quantizer, .none),
            training: LatentQuality(of: learned, quantizer, .none), pictures: second.pictures(of: drawn))
    }

    package func report(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> Report {
        let rows = results.map { result -> [ReportTable.Cell] in
            let figures = result.figures
            return [
                .text("\(result.cell)"), .init(decibels: figures.pictures?.difference.psnr), .init(intervalOf: figures.pictures?.psnr),
                .init(figures.pictures?.difference.ssim),
                .init(figures.pictures?.distribution?.frechet), .number(figures.heldOut.quantizedMSE), .number(figures.heldOut.codebookUse),
                .number(figures.heldOut.perplexity),
            ]
        }
        let ceilings = [("first", first), ("second", second)].compactMap { name, domain in domain.pictures(of: domain.reporting).map { (name, $0) } }
        return Report(
            title: "From one kind of pictures to another",
            question: """
                A quantiser fitted on the first domain meets pictures of the second, once with the statistics it was fitted with (means, deviations, \
                transform and scales) and once with those measured again on the second; its codes stay.
                """,
            facts: [
                Report.Fact(
                    "quantiser",
                    "\(options.quantizer.tokens) tokens of \(options.quantizer.codes) codes, \(options.quantizer.grouping.name), \(options.quantizer.distortion.rawValue), codebooks \(options.quantizer.sharing.rawValue)"
                ),
                .lloyd(passes: options.passes, seed: options.seed),
            ] + second.facts.map { Report.Fact("second domain: \($0.name)", $0.value) },
            sections: [
                Report.Section(
                    "Held-out figures",
                    [
                        .plot(plot(results, ceilings)),
                        .table(
                            ReportTable(
                                "The normalised error is in units of the statistics used in that row: compare rows of equal statistics, and PSNR throughout",
                                columns: ["case", "PSNR, dB", "95 % interval", "SSIM", "rFID", "normalised MSE", "codes used", "perplexity"],
                                rows: rows)),
                        .table(
                            ReportTable(
                                "The autoencoder alone", columns: PublishedFigures.columns,
                                rows: ceilings.map { PublishedFigures.row("\($0.0) domain", $0.1) })),
                    ]),
                Report.Section("Pictures of the second domain", pictures(results)),
            ])
    }

    private func pictures(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> [Report.Section.Block] {
        let shown = results.map(\.cell).filter { $0 != .home }
        return second.grid("Tokens of the second domain's pictures", of: shown.map { ($0.rawValue, $0) }).map { [.images($0)] } ?? []
    }

    /// - Parameter ceilings: of the two domains, by the autoencoder alone.
    private func plot(_ results: [ExperimentResult<Cell, QuantizerFigures>], _ ceilings: [(String, PictureFigures)]) -> Plot {
        let place = Dictionary(uniqueKeysWithValues: Cell.allCases.enumerated().map { ($1, Double($0 + 1)) })
        let alone = ceilings.map { name, figures in
            Plot.Point(name == "first" ? place[.home]! : place[.native]!, figures.difference.psnr)
        }
        return Plot(
            "Picture quality, \(first.measured) of the first domain, \(second.measured) of the second",
            x: PlotAxis(
                "fitted and measured at home; on the second domain with statistics kept, refitted, and fitted there",
                .names(Cell.allCases.map(\.rawValue))),
            y: PlotAxis("PSNR over RGB, dB"),
            series: [
                Plot.Series(
                    "tokens", .points, colour: 0,
                    results.compactMap { result in result.figures.pictures.map { .init(place[result.cell]!, $0.difference.psnr) } }),
                Plot.Series("autoencoder alone, first and second domain", .points, colour: 1, alone),
            ])
    }
}
