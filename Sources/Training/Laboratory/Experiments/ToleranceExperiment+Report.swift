import Glibc
import Images
import Jobs

extension ToleranceExperiment {
    package func report(_ results: [ExperimentResult<Cell, Figures>]) -> Report {
        Report(title: "How much noise the decoder tolerates", question: Self.question, facts: facts, sections: sections(results))
    }

    static let question = """
        Gaussian noise is added to latents before the frozen decoder draws them. The knee is where noise costs as much as the autoencoder \
        itself: the pictures' squared error has doubled, PSNR is 3 dB under the autoencoder's own. Beside it: what is left at equal bits, and what \
        the decoder's Jacobian says.
        """

    var facts: [Report.Fact] {
        [
            Report.Fact("mean variance of the raw latents", Figure.text(meanVariance)),
            Report.Fact("noise on single channels", "variance \(Figure.text(Self.channelVariance)) in normalised units"),
            Report.Fact("tokens", "\(options.grouping.name), one codebook of \(options.codes) codes"),
            .lloyd(passes: options.passes, seed: options.seed),
        ] + refusals.map { Report.Fact("left out", $0) }
    }

    func sections(_ results: [ExperimentResult<Cell, Figures>]) -> [Report.Section] {
        [curves(results), rates(results), channels(results), pictures(results)]
    }

    /// The figures of noise on all channels, alike in one unit, and those without noise.
    static func noise(_ results: [ExperimentResult<Cell, Figures>], raw isRaw: Bool) -> [Figures] {
        results.filter {
            switch $0.cell {
            case .normalised(let variance): !isRaw || variance == 0
            case .raw: isRaw
            case .channel, .ideal, .tokens: false
            }
        }.map(\.figures)
    }

    private func curves(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let (normalised, raw) = (Self.noise(results, raw: false), Self.noise(results, raw: true))
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

    /// The error of the latents where the pictures' squared error is twice that without noise; nil when it stays below.
    static func knee(_ figures: [Figures]) -> (normalised: Double, raw: Double)? {
        crossing(figures, of: 10 * log10(2)) { clean, noisy in clean.pictures.difference.psnr - noisy.pictures.difference.psnr }
    }

    /// What ``tolerableLPIPS`` is reached at, where LPIPS was measured.
    static func perceptualKnee(_ figures: [Figures]) -> (normalised: Double, raw: Double)? {
        crossing(figures, of: tolerableLPIPS) { clean, noisy in
            guard let own = clean.pictures.difference.lpips, let lpips = noisy.pictures.difference.lpips else { return nil }
            return lpips - own
        }
    }

    /// Seen at once beside the picture without noise.
    static let tolerableLPIPS = 0.1

    /// The error of the latents where a loss passes a limit, between two measured points by the logarithms; nil when it stays below.
    /// - Parameter loss: of what was measured without noise and with it.
    private static func crossing(
        _ figures: [Figures], of limit: Double, _ loss: (Figures, Figures) -> Double?
    ) -> (normalised: Double, raw: Double)? {
        let sorted = figures.sorted { $0.normalisedMSE < $1.normalisedMSE }
        guard let first = sorted.first, first.normalisedMSE == 0 else { return nil }
        for (below, above) in zip(sorted.dropFirst(), sorted.dropFirst(2)) {
            guard let low = loss(first, below), let high = loss(first, above), low <= limit, high > limit else { continue }
            let share = (limit - low) / (high - low)
            func between(_ a: Double, _ b: Double) -> Double { exp(log(a) + share * (log(b) - log(a))) }
            return (between(below.normalisedMSE, above.normalisedMSE), between(below.rawMSE, above.rawMSE))
        }
        return nil
    }

    /// Where the knee of each unit would be if the decoder were linear: its variance of noise adds the autoencoder's own error. Nil where the
    /// Jacobian was not measured.
    static func predictedKnee(_ clean: Figures) -> (normalised: Double, raw: Double)? {
        clean.jacobian.map { jacobian in
            let own = error(clean.pictures.difference.psnr)
            return (own / jacobian.normalisedTotal, own / jacobian.rawTotal)
        }
    }

    /// What is left at equal bits: behind a fitted quantiser, and behind ideal codes.
    private func rates(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        Report.Section(
            "At equal bits",
            [
                .text(
                    """
                    Ideal codes leave of white normalised latents what rate–distortion theory allows; correlation between elements lets a quantiser do \
                    better, finite codes make it do worse.
                    """),
                .plot(
                    Plot(
                        "Picture quality and bits, \(domain.measured)", x: PlotAxis("bits per image", .octaves), y: PlotAxis("PSNR over RGB, dB"),
                        series: Self.rateSeries(results, colour: 0))),
                .table(
                    ReportTable(
                        "The same bits, as tokens and as noise", columns: Self.rateColumns, rows: Self.rateRows(results))),
            ])
    }

    /// - Parameter name: of the autoencoder, where there are several.
    static func rateSeries(_ results: [ExperimentResult<Cell, Figures>], named name: String? = nil, colour: Int) -> [Plot.Series] {
        let (ideal, tokens) = byBits(results)
        func points(_ results: [ExperimentResult<Cell, Figures>]) -> [Plot.Point] {
            results.map { .init($0.figures.bits ?? 0, $0.figures.pictures.difference.psnr) }
        }
        let prefix = name.map { "\($0), " } ?? ""
        return [
            Plot.Series(prefix + "tokens", colour: colour, points(tokens)),
            Plot.Series(prefix + "ideal codes of white latents", .bound, colour: colour, points(ideal)),
        ]
    }

    /// Those that stand for bits, fewest first.
    private static func byBits(
        _ results: [ExperimentResult<Cell, Figures>]
    ) -> (ideal: [ExperimentResult<Cell, Figures>], tokens: [ExperimentResult<Cell, Figures>]) {
        let sorted = results.filter { $0.figures.bits != nil }.sorted { $0.figures.bits! < $1.figures.bits! }
        func isIdeal(_ cell: Cell) -> Bool { if case .ideal = cell { true } else { false } }
        return (sorted.filter { isIdeal($0.cell) }, sorted.filter { !isIdeal($0.cell) })
    }

    static let rateColumns = ["latents", "bits", "normalised MSE", "PSNR, dB", "95 % interval", "dB lost", "SSIM", "LPIPS"]

    static func rateRows(_ results: [ExperimentResult<Cell, Figures>]) -> [[ReportTable.Cell]] {
        let (ideal, tokens) = byBits(results)
        let own = results.first { $0.cell == .normalised(0) }?.figures.pictures.difference.psnr
        return (tokens + ideal).map { result in
            let (figures, difference) = (result.figures, result.figures.pictures.difference)
            return [
                .text("\(result.cell)"), .init(figures.bits), .number(figures.normalisedMSE), .decibels(difference.psnr),
                .init(intervalOf: figures.pictures.psnr), .init(decibels: own.map { $0 - difference.psnr }), .init(difference.ssim),
                .init(difference.lpips),
            ]
        }
    }

    private func table(_ results: [ExperimentResult<Cell, Figures>]) -> ReportTable {
        let rows = results.compactMap { result -> [ReportTable.Cell]? in
            let figures = result.figures
            switch result.cell {
            case .channel, .ideal, .tokens: return nil
            case .normalised, .raw: break
            }
            return [.text("\(result.cell)"), .number(figures.normalisedMSE), .number(figures.rawMSE)]
                + PublishedFigures.row("", figures.pictures).dropFirst()
        }
        return ReportTable(
            "All levels, means over \(domain.measured); raw noise in multiples of the mean variance",
            columns: ["noise", "normalised MSE", "raw MSE"] + PublishedFigures.columns.dropFirst(), rows: rows)
    }

    private func channels(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let clean = results.first { $0.cell == .normalised(0) }?.figures
        let errors = results.compactMap { result -> (channel: Int, error: Double, psnr: Double)? in
            guard case .channel(let channel) = result.cell, let clean else { return nil }
            let psnr = result.figures.pictures.difference.psnr
            return (channel, Self.error(psnr) - Self.error(clean.pictures.difference.psnr), psnr)
        }
        let mean = errors.reduce(0) { $0 + $1.error } / Double(max(1, errors.count))
        let jacobian = clean?.jacobian
        let slopes = jacobian.map { jacobian in jacobian.normalised.map { $0 / jacobian.normalisedTotal * Double(jacobian.normalised.count) } } ?? []
        let plot = Plot(
            "What noise on one channel alone adds to the pictures' error, \(domain.measured)", x: PlotAxis("channel", .wholes),
            y: PlotAxis("added squared error, relative to the channels' mean", .decades),
            series: [
                Plot.Series("noise", .points, colour: 0, errors.map { .init(Double($0.channel), $0.error / mean) }),
                Plot.Series("Jacobian", .points, colour: 1, slopes.enumerated().map { .init(Double($0), $1) }),
            ])
        let rows: [[ReportTable.Cell]] = errors.map {
            [
                .number(Double($0.channel)), .number($0.error / mean), .init(slopes.isEmpty ? nil : slopes[$0.channel]),
                .init(jacobian?.normalised[$0.channel]), .init(jacobian?.raw[$0.channel]), .decibels($0.psnr),
            ]
        }
        let columns = [
            "channel", "relative sensitivity", "relative by the Jacobian", "E‖Jv‖² for normalised noise", "for raw noise", "PSNR, dB",
        ]
        return Report.Section(
            "Noise on one channel",
            [.text(jacobianText(clean)), .plot(plot), .table(ReportTable("Sensitivity by channel", columns: columns, rows: rows))])
    }

    private func jacobianText(_ clean: Figures?) -> String {
        guard let clean, let jacobian = clean.jacobian, let predicted = Self.predictedKnee(clean) else {
            return "The decoder's Jacobian was not measured: its batch norms would use the statistics of each picture."
        }
        return """
            To first order normalised noise of variance 1 on all channels adds \(Figure.text(jacobian.normalisedTotal)) to the squared error of \
            values in 0 … 1, raw noise \(Figure.text(jacobian.rawTotal)): a linear decoder would have its knees at \(Figure.text(predicted.normalised)) \
            normalised and \(Figure.text(predicted.raw)) raw. As few as \(Figure.text(jacobian.channelsFelt)) equal channels would be felt as much.
            """
    }

    /// The squared error, relative to 255², that a mean PSNR stands for.
    static func error(_ psnr: Double) -> Double { pow(10, -psnr / 10) }

    private func pictures(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let noisy = [0.03, 0.1, 0.3].compactMap { variance in
            noisySample(variance).map { (name: "noise \(Figure.text(variance))", pictures: $0) }
        }
        let alone = (name: "autoencoder alone", pictures: domain.sample(of: domain.reporting))
        let noise = domain.grid("Noise alike in normalised units, by its variance", columns: [alone] + noisy)
        let tokens = domain.grid("Tokens", of: Self.byBits(results).tokens.map { ("\($0.cell)", $0.cell) })
        return Report.Section("Pictures", [.images(noise)] + (tokens.map { [.images($0)] } ?? []))
    }

    /// The pictures that reports show, behind noise of this variance on every normalised element.
    func noisySample(_ variance: Double) -> [RGBImage]? {
        (try? latents(.normalised(variance)) { false }).map { domain.sample(of: $0) }
    }
}
