import Fitting
import Networks
import TokenizerCore

/// What bits buy: token counts × codebook sizes, beside what theory allows.
package struct TokenSweep: Experiment {
    package struct Options: Codable, Equatable, Sendable {
        package var tokens: [Int]
        package var codes: [Int]
        package var grouping: Grouping
        package var distortion: QuantizerOptions.Distortion
        package var sharing: QuantizerOptions.Sharing
        package var passes: Int
        package var seed: UInt64

        package init(
            tokens: [Int], codes: [Int], grouping: Grouping, distortion: QuantizerOptions.Distortion, sharing: QuantizerOptions.Sharing, passes: Int,
            seed: UInt64
        ) {
            (self.tokens, self.codes, self.grouping, self.distortion) = (tokens, codes, grouping, distortion)
            (self.sharing, self.passes, self.seed) = (sharing, passes, seed)
        }
    }

    package struct Cell: Codable, Hashable, Sendable, CustomStringConvertible {
        package let tokens, codes: Int
        package var description: String { "\(tokens) tokens of \(codes) codes" }
    }

    private let options: Options
    private let trials: QuantizerTrials<Cell>
    package var cells: [Cell] { trials.cells }

    /// - Throws: when no combination is possible.
    package init(_ domain: LatentDomain, _ options: Options) throws(ExperimentError) {
        self.options = options
        let all = options.tokens.flatMap { tokens in options.codes.map { Cell(tokens: tokens, codes: $0) } }
        trials = try QuantizerTrials(all, in: domain, passes: options.passes, seed: options.seed) {
            QuantizerOptions(
                tokens: $0.tokens, codes: $0.codes, grouping: options.grouping, distortion: options.distortion, sharing: options.sharing)
        }
    }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> QuantizerFigures? {
        try trials.measure(cell, isStopRequested: isStopRequested)
    }

    package func report(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> Report {
        Report(
            title: "What bits buy: tokens and codes",
            question: """
                The same latents are cut into more or fewer tokens, with codebooks of several sizes, each fitted by Lloyd's algorithm. The error is drawn \
                over the bits of an image, beside what Gaussian latents would allow at that rate.
                """,
            facts: [
                Report.Fact("tokens", "\(options.grouping.name), \(options.distortion.rawValue), codebooks \(options.sharing.rawValue)"),
                .lloyd(passes: options.passes, seed: options.seed),
            ],
            sections: [
                Report.Section(
                    "Error and bits",
                    [
                        .plot(distortionPlot(results)), .plot(picturePlot(results)), .plot(tokenPlot(results)),
                        .text(
                            """
                            Bounds for white latents are what these would allow if their elements were not correlated: where the curves run below them, \
                            that correlation is what the tokens used. No quantiser of Gaussian latents is below the bound of the measured covariance; \
                            real ones are not quite Gaussian.
                            """),
                        .text("The paper's points come from another autoencoder, and the size of its codebooks is not stated: compare the slopes."),
                    ]),
                Report.Section("Pictures", pictures(results)),
                Report.Section("All cells", [.table(table(results))] + trials.refusals.map { .text("Not possible: \($0)") }),
            ])
    }

    /// Every number of tokens, with the largest codebooks.
    private func pictures(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> [Report.Section.Block] {
        let codes = results.map(\.cell.codes).max()
        return trials.pictures(
            "Fewer and fewer tokens",
            results.filter { $0.cell.codes == codes }.sorted { $0.cell.tokens > $1.cell.tokens }.map { ("\($0.cell)", $0.cell) })
    }

    private func bySize(
        _ results: [ExperimentResult<Cell, QuantizerFigures>], _ name: String = "", _ style: Plot.Series.Style = .measured,
        _ point: (Cell, QuantizerFigures) -> Plot.Point?
    ) -> [Plot.Series] {
        options.codes.enumerated().map { index, codes in
            Plot.Series(
                "\(name)\(codes) codes", style, colour: index, results.filter { $0.cell.codes == codes }.compactMap { point($0.cell, $0.figures) })
        }
    }

    private func distortionPlot(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> Plot {
        let sorted = results.sorted { $0.figures.bits < $1.figures.bits }
        func bound(_ name: String, _ colour: Int, _ value: (QuantizerBounds) -> Double) -> Plot.Series {
            Plot.Series(
                name, .bound, colour: colour, sorted.compactMap { result in result.figures.bounds.map { .init(result.figures.bits, value($0)) } })
        }
        // Zador's bound is of codes of a token's length, and so another one for each size.
        let zador = bySize(results, "Zador, white, ", .bound) { _, figures in figures.bounds.map { .init(figures.bits, $0.zador) } }
        return Plot(
            "Distortion over bits, \(trials.measured)", x: PlotAxis("bits per image", .octaves), y: PlotAxis("distortion of the latents", .decades),
            series: bySize(results) { .init($1.bits, $1.heldOut.distortion) } + zador + [
                bound("Shannon, white", 7, \.shannon), bound("water-filling of the measured covariance", 5, \.waterFilling),
            ])
    }

    private func picturePlot(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> Plot {
        Plot(
            "Picture quality over bits, \(trials.measured)", x: PlotAxis("bits per image", .octaves), y: PlotAxis("PSNR over RGB, dB"),
            series: bySize(results) { _, figures in figures.pictures.map { .init(figures.bits, $0.difference.psnr) } })
    }

    private func tokenPlot(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> Plot {
        Plot(
            "Error over tokens, \(trials.measured), beside the paper", x: PlotAxis("tokens per image", .octaves),
            y: PlotAxis("mean squared error of the normalised latents", .decades),
            series: bySize(results) { .init(Double($0.tokens), $1.heldOut.quantizedMSE) } + [
                Plot.Series("paper, without rectifier", .published, colour: 0, PublishedFigures.tokens.map { .init($0.tokens, $0.mse) }),
                Plot.Series("paper, with rectifier", .published, colour: 1, PublishedFigures.tokens.map { .init($0.tokens, $0.rectified) }),
            ])
    }

    private func table(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> ReportTable {
        ReportTable(
            "Means over \(trials.measured)",
            columns: ["tokens", "codes", "bits"] + QuantizerTrials<Cell>.columns + ["codes used", "perplexity"],
            rows: results.map { result in
                let (cell, figures) = (result.cell, result.figures)
                let extents: [ReportTable.Cell] = [.number(Double(cell.tokens)), .number(Double(cell.codes)), .number(figures.bits)]
                return extents + QuantizerTrials<Cell>.cells(figures) + [.number(figures.training.codebookUse), .number(figures.training.perplexity)]
            })
    }
}
