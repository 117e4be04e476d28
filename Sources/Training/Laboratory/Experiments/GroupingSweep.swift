import Fitting
import Jobs
import Networks
import TokenizerCore

/// What a token should be made of: groupings × what counts as near × which tokens share codes, at equal bits.
package struct GroupingSweep: Experiment {
    package struct Options: Codable, Equatable, Sendable {
        package var tokens: Int
        package var codes: Int
        /// Nil for every kind: strips, the squarest blocks, channels of one site, and transforms of one and of 2×2 sites.
        package var groupings: [Grouping]?
        package var distortions: [QuantizerOptions.Distortion]
        package var sharings: [QuantizerOptions.Sharing]
        package var passes: Int
        package var seed: UInt64

        package init(
            tokens: Int, codes: Int, groupings: [Grouping]?, distortions: [QuantizerOptions.Distortion], sharings: [QuantizerOptions.Sharing],
            passes: Int,
            seed: UInt64
        ) {
            (self.tokens, self.codes, self.groupings, self.distortions) = (tokens, codes, groupings, distortions)
            (self.sharings, self.passes, self.seed) = (sharings, passes, seed)
        }
    }

    package struct Cell: Codable, Hashable, Sendable, CustomStringConvertible {
        package let grouping: Grouping
        package let distortion: QuantizerOptions.Distortion
        package let sharing: QuantizerOptions.Sharing
        package var description: String { "\(grouping.name), \(distortion.rawValue), \(sharing.rawValue)" }
    }

    private let options: Options
    private let groupings: [Grouping]
    private let trials: QuantizerTrials<Cell>
    package var cells: [Cell] { trials.cells }

    /// - Throws: when no combination is possible.
    package init(_ domain: LatentDomain, _ options: Options) throws(ExperimentError) {
        self.options = options
        groupings = options.groupings ?? Self.everyKind(tokens: options.tokens, domain.shape)
        let all = groupings.flatMap { grouping in
            options.distortions.flatMap { distortion in
                options.sharings.map { Cell(grouping: grouping, distortion: distortion, sharing: $0) }
            }
        }
        trials = try QuantizerTrials(all, in: domain, passes: options.passes, seed: options.seed) {
            QuantizerOptions(tokens: options.tokens, codes: options.codes, grouping: $0.grouping, distortion: $0.distortion, sharing: $0.sharing)
        }
    }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> QuantizerFigures? {
        try trials.measure(cell, isStopRequested: isStopRequested)
    }

    package func report(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> Report {
        var blocks: [Report.Section.Block] = [
            .plot(plot("Pictures, \(trials.measured)", "PSNR over RGB, dB", .linear, results) { $0.pictures?.difference.psnr }),
            .plot(plot("Latents, \(trials.measured)", "mean squared error of the normalised latents", .fitting, results, \.heldOut.quantizedMSE)),
            .table(table(results)),
            .text(
                """
                Distortion is what a quantiser makes small, in its own units; the bounds to its right are in the same units and say what Gaussian \
                latents would allow: white noise by codes of any length (Shannon) and of a token's length (Zador), the measured covariance inside one \
                token by codes of its length (grouped Zador), and the covariance of neighbourhoods by codes of any length (water-filling). Latents are \
                not Gaussian: a quantiser may be under a bound.
                """),
        ]
        if results.contains(where: { $0.figures.pictures == nil }) { blocks.append(.text("Pictures were not measured: no images were given.")) }
        blocks += trials.refusals.map { .text("Not possible: \($0)") }
        return Report(
            title: "What a token is made of, at \(options.tokens) tokens of \(options.codes) codes",
            question: """
                Elements of the latents are grouped into tokens in several ways, codes are fitted by Lloyd's algorithm to the normalised or to the \
                sensitivity-weighted error, and tokens share codebooks or not. All at the same number of bits.
                """,
            facts: [
                Report.Fact("bits per image", Figure.text(results.first?.figures.bits ?? 0)),
                .lloyd(passes: options.passes, seed: options.seed),
            ],
            sections: [Report.Section("Groupings at equal bits", blocks), Report.Section("Pictures", pictures(results))])
    }

    /// Of each grouping, the cell with the best pictures.
    private func pictures(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> [Report.Section.Block] {
        let best = groupings.compactMap { grouping in
            results.filter { $0.cell.grouping == grouping }.max {
                ($0.figures.pictures?.difference.psnr ?? 0) < ($1.figures.pictures?.difference.psnr ?? 0)
            }
        }
        return trials.pictures("Each grouping at its best", best.map { ("\($0.cell)", $0.cell) })
    }

    private static func everyKind(tokens: Int, _ shape: LatentShape) -> [Grouping] {
        let block = tokens >= 1 && tokens <= shape.count ? Grouping.squarestBlock(of: shape.count / tokens, for: shape) : nil
        return [.strip, block ?? .block(height: 2, width: 2), .spatial, .klt(side: 1), .klt(side: 2)]
    }

    /// One place on the axis per grouping.
    private func plot(
        _ caption: String, _ label: String, _ scale: PlotAxis.Scale, _ results: [ExperimentResult<Cell, QuantizerFigures>],
        _ value: (QuantizerFigures) -> Double?
    ) -> Plot {
        let kinds = options.distortions.flatMap { distortion in options.sharings.map { (distortion, $0) } }
        let series = kinds.enumerated().map { index, kind in
            let points = groupings.enumerated().compactMap { place, grouping -> Plot.Point? in
                let cell = Cell(grouping: grouping, distortion: kind.0, sharing: kind.1)
                guard let figures = results.first(where: { $0.cell == cell })?.figures else { return nil }
                return value(figures).map { .init(Double(place + 1), $0) }
            }
            return Plot.Series("\(kind.0.rawValue), \(kind.1.rawValue)", .points, colour: index, points)
        }
        return Plot(caption, x: PlotAxis("grouping", .names(groupings.map(\.name))), y: PlotAxis(label, scale), series: series)
    }

    private func table(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> ReportTable {
        ReportTable(
            "All cells, means over \(trials.measured)",
            columns: ["grouping", "small is", "codebooks"] + QuantizerTrials<Cell>.columns + ["train / held-out", "codes used"],
            rows: results.map { result in
                let (cell, figures) = (result.cell, result.figures)
                let names: [ReportTable.Cell] = [.text(cell.grouping.name), .text(cell.distortion.rawValue), .text(cell.sharing.rawValue)]
                return names + QuantizerTrials<Cell>.cells(figures)
                    + [.number(figures.training.distortion / figures.heldOut.distortion), .number(figures.training.codebookUse)]
            })
    }
}
