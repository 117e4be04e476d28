import Jobs

extension RectifierSweep {
    /// Of the learning curves, relative to the quantiser's error.
    private static let mostShown = 1.1

    package func report(_ results: [ExperimentResult<Cell, Figures>]) -> Report {
        Report(
            title: "Rectifiers behind the same codes",
            question: """
                At each number of tokens one codebook is fitted by Lloyd's algorithm and kept; then each network learns to move the quantised latents \
                back to the original ones, with and without a residual connection. Held-out error relative to no rectifier says what it is worth.
                """,
            facts: [
                Report.Fact(
                    "codes",
                    "\(options.codes), one codebook for each stage, \(options.distortion.rawValue), \(options.passes) passes for each"),
                Report.Fact(
                    "networks",
                    "width \(options.width), depth \(options.depth), heads of \(options.head); the linear one sees 3×3 sites and is solved in closed form, its penalty chosen by the choosing part"
                ),
                .gradientSteps(epochs: options.epochs, batch: options.batch, learningRate: options.learningRate * 0.05, seed: options.seed),
            ],
            sections: [comparison(results), training(results), pictures(results), all(results)])
    }

    private func comparison(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        var series: [Plot.Series] = []
        for kind in kinds {
            for (colour, name) in rectifiers(behind: codes[0]).map(\.name).enumerated() {
                let own = results.filter { $0.cell.name == name && $0.cell.codes.kind == kind }
                series.append(
                    Plot.Series(
                        kinds.count == 1 ? name : "\(name),\(kind.isEmpty ? " strips" : kind)", colour: colour,
                        own.map { .init(Double($0.cell.tokens), $0.figures.quality.rectifiedMSE / $0.figures.quality.quantizedMSE) }))
            }
        }
        series.append(
            Plot.Series(
                "rectifier (paper, kind not stated)", .published, colour: 6, PublishedFigures.tokens.map { .init($0.tokens, $0.rectified / $0.mse) }))
        let plot = Plot(
            "Error with a rectifier, relative to that without, \(domain.measured)", x: PlotAxis("tokens per image", .octaves),
            y: PlotAxis("rectified / quantised MSE of the latents", .fitting, including: [1]),
            series: series)
        let published = PublishedFigures.rectifiers.map { row -> [ReportTable.Cell] in
            [.number(Double(row.tokens)), .text(row.kind), .number(row.mse), .number(row.rFID)]
        }
        return Report.Section(
            "What a rectifier is worth",
            [
                .plot(plot),
                .table(
                    ReportTable(
                        "The paper's figures (512T has 14 bits per token, 256T-B 16)", columns: ["tokens", "rectifier", "latent MSE", "rFID"],
                        rows: published)),
            ])
    }

    /// Of the codes behind the plots' points.
    private var kinds: [String] {
        codes.map(\.kind).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Behind the fewest tokens, each kind with or without the residual connection, whichever is better.
    private func pictures(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let fewest = options.tokens.min()
        let best = Kind.allCases.compactMap { kind in
            results.filter { $0.cell.tokens == fewest && $0.cell.kind == kind }.min {
                $0.figures.quality.rectifiedMSE < $1.figures.quality.rectifiedMSE
            }
        }
        let grid = domain.grid("Behind the fewest tokens", of: best.map { ("\($0.cell)", $0.cell) })
        return Report.Section("Pictures", grid.map { [.images($0)] } ?? [])
    }

    /// How the error of the choosing part fell, for what is trained by steps.
    private func training(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let plots = codes.map { codes in
            let series = rectifiers(behind: codes).enumerated().compactMap { colour, cell -> Plot.Series? in
                guard let figures = results.first(where: { $0.cell == cell })?.figures else { return nil }
                let quantized = figures.quantizedMSE ?? figures.quality.quantizedMSE
                let shares = figures.epochs.enumerated().map { Plot.Point(Double($0 + 1), $1 / quantized) }
                return Plot.Series(cell.name, colour: colour, shares.filter { $0.y <= Self.mostShown })
            }
            return Plot(
                "Held-out error by epoch, \(codes), \(domain.measured)", x: PlotAxis("epoch", .wholes),
                y: PlotAxis("rectified / quantised MSE of the latents", including: [1]),
                series: series)
        }
        let text = """
            A curve that still falls belongs to a network that was trained too briefly to be judged; a held-out error far above the training error \
            belongs to one with too few images for its parameters. Errors above \(Figure.text(Self.mostShown)) times the quantiser's are not drawn: \
            without the residual connection a network has to learn first to leave the latents as they are.
            """
        return Report.Section("Learning", plots.map { .plot($0) } + [.text(text)])
    }

    private func all(_ results: [ExperimentResult<Cell, Figures>]) -> Report.Section {
        let rows = results.map { result -> [ReportTable.Cell] in
            let quality = result.figures.quality
            return [
                .text("\(result.cell.codes)"), .text(result.cell.name), .number(Double(result.figures.parameters)),
                .number(quality.quantizedMSE),
                .number(quality.rectifiedMSE), .number(result.figures.training.rectifiedMSE), .init(result.figures.lastChange.map { 100 * $0 }),
                .init(decibels: result.figures.pictures?.difference.psnr), .init(intervalOf: result.figures.pictures?.psnr),
                .init(result.figures.pictures?.difference.ssim),
                .init(result.figures.pictures?.difference.lpips),
                .init(result.figures.pictures?.distribution?.frechet),
                .text(result.figures.gain?.decibels ?? "–"),
            ]
        }
        let alarms = results.compactMap { result in result.figures.alarm.map { Report.Section.Block.text("\(result.cell): \($0)") } }
        return Report.Section(
            "All cells",
            [
                .table(
                    ReportTable(
                        "Means over \(domain.measured), 95 % intervals over them; training: as many that were learned from; the last epoch, by the choosing part",
                        columns: [
                            "codes", "rectifier", "parameters", "quantised MSE", "rectified MSE", "rectified, training", "last epoch, %", "PSNR, dB",
                            "95 % interval", "SSIM", "LPIPS", "rFID", "gain over no rectifier",
                        ], rows: rows))
            ] + alarms + refusals.map { .text("Not possible: \($0)") })
    }
}
