import Compute
import Fitting
import Glibc
import Networks
import TokenizerCore

/// What resetting unused codes is worth: the paper's gradient training with and without it, over codebooks of growing size.
///
/// Every token has a codebook of its own, as in the paper, so what matters is how many training images there are for each code. Sizes are
/// chosen to have the paper's numbers of images per code, whatever the number of images here.
package struct ResetAblation: Experiment {
    package struct Options: Codable, Equatable, Sendable {
        package var tokens: Int
        package var epochs: Int
        package var batch: Int
        package var learningRate: Float
        package var seed: UInt64

        package init(tokens: Int, epochs: Int, batch: Int, learningRate: Float, seed: UInt64) {
            (self.tokens, self.epochs, self.batch, self.learningRate, self.seed) = (tokens, epochs, batch, learningRate, seed)
        }

        /// - Throws: what is impossible whatever the latents are.
        package func check() throws(ExperimentError) {
            try ExperimentError.check(
                [("--epochs", epochs, 1...10_000), ("--batch", batch, 1...QuantizerTrainer.mostBatchImages)], learningRate: learningRate)
        }
    }

    package struct Cell: Codable, Hashable, Sendable, CustomStringConvertible {
        package let codes: Int
        package let reset: CodebookReset
        package var description: String { "\(codes) codes, reset \(reset.rawValue)" }
    }

    let domain: LatentDomain
    let options: Options
    private let normalizer: LatentNormalizer
    private let training, heldOut: Latents

    static let resets: [CodebookReset] = [.none, .paper, .code, .distortion]

    /// - Throws: what is impossible about the options, or that there are too few images for two sizes.
    package init(_ domain: LatentDomain, _ options: Options) throws(ExperimentError) {
        try options.check()
        (self.domain, self.options) = (domain, options)
        normalizer = LatentNormalizer(fitting: domain.training)
        (training, heldOut) = (normalizer.normalize(domain.training), normalizer.normalize(domain.reporting))
        guard sizes.count >= 2 else {
            throw ExperimentError("\(training.count) images are too few to vary the number of codes: at least 64 are needed")
        }
        for codes in sizes { try domain.check(QuantizerOptions(tokens: options.tokens, codes: codes)) }
    }

    /// Powers of two with the paper's images per code, about 63 down to 2.
    var sizes: [Int] {
        PublishedFigures.resets.map { Int(log2(Double(domain.training.count) / $0.imagesPerCode).rounded()) }.filter { $0 >= 1 }.map { 1 << $0 }
    }

    package var cells: [Cell] { sizes.flatMap { codes in Self.resets.map { Cell(codes: codes, reset: $0) } } }

    package mutating func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> QuantizerFigures? {
        let layout: GroupQuantizer.Layout
        do throws(GroupQuantizer.LayoutError) {
            layout = try GroupQuantizer.Layout(tokens: options.tokens, codes: cell.codes, latents: domain.shape.count, codebooks: options.tokens)
        } catch {
            throw ExperimentError(error.description)
        }
        guard let start = GroupQuantizer(layout, shape: domain.shape, from: training.rows, seed: options.seed, isStopRequested: isStopRequested)
        else {
            return nil
        }
        var trainer = QuantizerTrainer(
            start, .none,
            options: .init(epochs: options.epochs, batch: options.batch, learningRate: options.learningRate, reset: cell.reset, movesCodes: true),
            imageCount: training.count, seed: options.seed)
        while trainer.step < trainer.totalSteps {
            if isStopRequested() { return nil }
            guard trainer.advance(on: training).quantized.isFinite else {
                throw ExperimentError("the loss of \(cell) is no longer finite: lower --learning-rate")
            }
        }
        let drawn = normalizer.restore(trainer.quantizer.latents(trainer.quantizer.tokens(heldOut)))
        try domain.keepSample(of: drawn, cell)
        return QuantizerFigures(
            bits: layout.bits, heldOut: LatentQuality(of: heldOut, trainer.quantizer, .none),
            training: LatentQuality(of: training, trainer.quantizer, .none), pictures: nil)
    }

    package func report(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> Report {
        Report(
            title: "What resetting unused codes is worth",
            question: """
                Codebooks are trained by AdamW as in the paper, each token with its own, and unused codes are reset after every epoch by one of \
                three rules or not at all. Sizes are scaled so that there are as many training images per code as in the paper's ablation.
                """,
            facts: [
                .gradientSteps(epochs: options.epochs, batch: options.batch, learningRate: options.learningRate, seed: options.seed),
                Report.Fact(
                    "rules",
                    "none; paper: dead codes mirror the most used; code: the published code's, at most a fifth; distortion: dead codes split the worst cells"
                ),
            ],
            sections: [
                Report.Section(
                    "Loss and use",
                    [
                        .plot(
                            plot(
                                "Loss on \(domain.training.count) training latents", "mean squared error of the normalised latents", results,
                                .decades, \.training.quantizedMSE,
                                (\.loss, \.lossWithReset))),
                        .plot(
                            plot(
                                "Codes in use by \(domain.training.count) training latents", "share of the codes that training latents choose",
                                results, .linear, \.training.codebookUse,
                                (\.use, \.useWithReset))),
                        .plot(
                            plot(
                                "Error on \(domain.measured)", "mean squared error of the normalised latents", results, .decades,
                                \.heldOut.quantizedMSE,
                                nil)),
                        .text(
                            "The paper's losses belong to another autoencoder and 128 thousand images: compare directions and the gap between the curves, not heights."
                        ),
                        .table(table(results)),
                    ]),
                Report.Section("Pictures", pictures(results)),
            ])
    }

    /// With the largest codebooks, where resets matter most.
    private func pictures(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> [Report.Section.Block] {
        let largest = results.map(\.cell.codes).max()
        let grid = domain.grid("With the largest codebooks", of: results.filter { $0.cell.codes == largest }.map { ("\($0.cell)", $0.cell) })
        return grid.map { [.images($0)] } ?? []
    }

    private func plot(
        _ caption: String, _ label: String, _ results: [ExperimentResult<Cell, QuantizerFigures>], _ scale: PlotAxis.Scale,
        _ value: (QuantizerFigures) -> Double, _ published: ((PublishedFigures.Reset) -> Double, (PublishedFigures.Reset) -> Double)?
    ) -> Plot {
        let images = Double(domain.training.count)
        var series = Self.resets.enumerated().map { index, reset in
            Plot.Series(
                reset == .none ? "no reset" : "reset: \(reset.rawValue)", colour: index,
                results.filter { $0.cell.reset == reset }.map { .init(images / Double($0.cell.codes), value($0.figures)) })
        }
        if let published {
            series.append(
                Plot.Series("no reset (paper)", .published, colour: 0, PublishedFigures.resets.map { .init($0.imagesPerCode, published.0($0)) }))
            series.append(
                Plot.Series("with reset (paper)", .published, colour: 1, PublishedFigures.resets.map { .init($0.imagesPerCode, published.1($0)) }))
        }
        return Plot(caption, x: PlotAxis("training images per code (few: large codebooks)", .octaves), y: PlotAxis(label, scale), series: series)
    }

    private func table(_ results: [ExperimentResult<Cell, QuantizerFigures>]) -> ReportTable {
        ReportTable(
            "All cells: \(domain.training.count) training latents, \(domain.measured)",
            columns: ["codes", "images per code", "reset", "training MSE", "held-out MSE", "codes used", "perplexity"],
            rows: results.map { result in
                let (cell, figures) = (result.cell, result.figures)
                return [
                    .number(Double(cell.codes)), .number(Double(domain.training.count) / Double(cell.codes)), .text(cell.reset.rawValue),
                    .number(figures.training.quantizedMSE), .number(figures.heldOut.quantizedMSE), .number(figures.training.codebookUse),
                    .number(figures.training.perplexity),
                ]
            })
    }
}
