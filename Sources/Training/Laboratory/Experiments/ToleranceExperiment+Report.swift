import Glibc
import Jobs
import Networks

extension ToleranceExperiment {
    package func report(_ results: [ExperimentResult<Cell, Figures>]) -> Report {
        Report(
            title: "How much noise the decoder tolerates",
            question: """
                Gaussian noise is added to latents before the frozen decoder draws them. The knee is where noise costs as much as the autoencoder \
                itself: the pictures' squared error has doubled, PSNR is 3 dB under the autoencoder's own.
                """,
            facts: [
                Report.Fact("mean variance of the raw latents", Figure.text(meanVariance)),
                Report.Fact("noise on single channels", "variance \(Figure.text(Self.channelVariance)) in normalised units"),
            ],
            sections: [curves(results), channels(results), pictures(results)])
    }

    private func global(_ results: [ExperimentResult<Cell, Figures>], raw isRaw: Bool) -> [Figures] {
        results.filter {
            switch $0.cell {
            case .normalised(let variance): !isRaw || variance == 0
            case .raw: isRaw
            case .channel: false
            }
        }.map(\.figures)
    }

    private func curves(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let (normalised, raw) = (global(results, raw: false), global(results, raw: true))
        let psnr = Plot(
            "Picture quality against the error of the latents, \(domain.measured)",
            x: PlotAxis("mean squared error of the normalised latents", .decades),
            y: PlotAxis("PSNR over RGB, dB"),
            series: [
                Plot.Series("noise alike in normalised units", colour: 0, normalised.map { .init($0.normalisedMSE, $0.pictures.difference.psnr) }),
                Plot.Series("noise alike in raw units", colour: 1, raw.map { .init($0.normalisedMSE, $0.pictures.difference.psnr) }),
                Plot.Series("the paper's limit: variance 0.3 raw, 0.062 normalised for its autoencoder", .bound, colour: 7, limit(normalised)),
            ])
        let ours = normalised.compactMap { figures in figures.pictures.distribution.map { Plot.Point(figures.normalisedMSE, $0.frechet) } }
        let rFID = Plot(
            "rFID against the error of the latents, \(domain.measured)", x: PlotAxis("mean squared error of the normalised latents", .decades),
            y: PlotAxis("rFID", .decades),
            series: [
                Plot.Series("ours", colour: 0, ours),
                Plot.Series(
                    "paper (DC-AE f32c32, ImageNet; quantiser's error, not noise)", .published, colour: 0,
                    PublishedFigures.tolerance.map { .init($0.mse, $0.rFID) }),
            ])
        var blocks: [Report.Section.Block] = [.text(kneeText("normalised", normalised) + " " + kneeText("raw", raw)), .plot(psnr)]
        // The paper's points alone would look like ours.
        blocks.append(ours.isEmpty ? .text("rFID was not measured: no Inception weights were given.") : .plot(rFID))
        blocks.append(.table(table(results)))
        return Report.Section("Noise on all channels", blocks)
    }

    /// A vertical line.
    private func limit(_ figures: [Figures]) -> [Plot.Point] {
        let psnr = figures.map(\.pictures.difference.psnr)
        return [psnr.min(), psnr.max()].compactMap { $0 }.map { .init(PublishedFigures.toleratedNormalisedMSE, $0) }
    }

    private func kneeText(_ unit: String, _ figures: [Figures]) -> String {
        guard let knee = Self.knee(figures) else { return "The knee for noise alike in \(unit) units was not reached." }
        let raw = unit == "raw" ? ", variance \(Figure.text(knee.raw)) in raw units" : ""
        return "The knee for noise alike in \(unit) units is at a normalised mean squared error of \(Figure.text(knee.normalised))\(raw)."
    }

    /// The error of the latents where the pictures' squared error is twice that without noise, between two measured points by the
    /// logarithms; nil when it stays below.
    static func knee(_ figures: [Figures]) -> (normalised: Double, raw: Double)? {
        let sorted = figures.sorted { $0.normalisedMSE < $1.normalisedMSE }
        guard let first = sorted.first, first.normalisedMSE == 0 else { return nil }
        let target = first.pictures.difference.psnr - 10 * log10(2)
        for (below, above) in zip(sorted.dropFirst(), sorted.dropFirst(2)) {
            let (high, low) = (below.pictures.difference.psnr, above.pictures.difference.psnr)
            guard high >= target, low < target else { continue }
            let share = (high - target) / (high - low)
            func between(_ a: Double, _ b: Double) -> Double { exp(log(a) + share * (log(b) - log(a))) }
            return (between(below.normalisedMSE, above.normalisedMSE), between(below.rawMSE, above.rawMSE))
        }
        return nil
    }

    private func table(_ results: [ExperimentResult<Cell, Figures>]) -> ReportTable {
        let rows = results.compactMap { result -> [ReportTable.Cell]? in
            if case .channel = result.cell { return nil }
            let figures = result.figures
            return [.text("\(result.cell)"), .number(figures.normalisedMSE), .number(figures.rawMSE)]
                + PublishedFigures.row("", figures.pictures).dropFirst()
        }
        return ReportTable(
            "All levels, means over \(domain.measured); raw noise in multiples of the mean variance",
            columns: ["noise", "normalised MSE", "raw MSE"] + PublishedFigures.columns.dropFirst(), rows: rows)
    }

    private func channels(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let clean = results.first { $0.cell == .normalised(0) }
        let errors = results.compactMap { result -> (channel: Int, error: Double, psnr: Double)? in
            guard case .channel(let channel) = result.cell, let clean else { return nil }
            let psnr = result.figures.pictures.difference.psnr
            return (channel, Self.error(psnr) - Self.error(clean.figures.pictures.difference.psnr), psnr)
        }
        let mean = errors.reduce(0) { $0 + $1.error } / Double(max(1, errors.count))
        let plot = Plot(
            "What noise on one channel alone adds to the pictures' error, \(domain.measured)", x: PlotAxis("channel", .wholes),
            y: PlotAxis("added squared error, relative to the channels' mean", .decades),
            series: [Plot.Series("sensitivity", .points, colour: 0, errors.map { .init(Double($0.channel), $0.error / mean) })])
        let rows: [[ReportTable.Cell]] = errors.map { [.number(Double($0.channel)), .number($0.error / mean), .decibels($0.psnr)] }
        return Report.Section(
            "Noise on one channel",
            [.plot(plot), .table(ReportTable("Sensitivity by channel", columns: ["channel", "relative sensitivity", "PSNR, dB"], rows: rows))])
    }

    /// The squared error, relative to 255², that a mean PSNR stands for.
    private static func error(_ psnr: Double) -> Double { pow(10, -psnr / 10) }

    private func pictures(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let shown = [0.03, 0.1, 0.3].map { (name: "noise \($0)", latents: latents(.normalised($0))) }
        return Report.Section("Pictures", domain.grid("Noise alike in normalised units, by its variance", shown).map { [.images($0)] } ?? [])
    }
}
