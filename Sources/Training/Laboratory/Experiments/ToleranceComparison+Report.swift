import Images
import Jobs

extension ToleranceComparison {
    /// What was measured of one autoencoder.
    private struct Findings {
        let member: Member
        let colour: Int
        let results: [ExperimentResult<ToleranceExperiment.Cell, ToleranceExperiment.Figures>]

        var name: String { member.name }
        var experiment: ToleranceExperiment { member.experiment }
        /// Without noise.
        var clean: ToleranceExperiment.Figures? { results.first { $0.cell == .normalised(0) }?.figures }
        /// In normalised and in raw units, each where noise is alike in that unit.
        var knees: (normalised: Double?, raw: Double?) {
            (ToleranceExperiment.knee(noise(raw: false))?.normalised, ToleranceExperiment.knee(noise(raw: true))?.raw)
        }
        var predicted: (normalised: Double, raw: Double)? { clean.flatMap(ToleranceExperiment.predictedKnee) }

        func noise(raw isRaw: Bool) -> [ToleranceExperiment.Figures] { ToleranceExperiment.noise(results, raw: isRaw) }
    }

    package func report(_ results: [ExperimentResult<Cell, ToleranceExperiment.Figures>]) -> Report {
        let findings = members.enumerated().map { colour, member in
            let own = results.filter { $0.cell.autoencoder == member.name }
            return Findings(member: member, colour: colour, results: own.map { ExperimentResult(cell: $0.cell.treatment, figures: $0.figures) })
        }
        let own = members.enumerated().flatMap { place, member in
            // What the first one's domain is, is said of every experiment.
            let facts = (place == 0 ? [] : member.experiment.domain.facts) + member.experiment.facts
            return facts.map { Report.Fact("\(member.name): \($0.name)", $0.value) }
        }
        return Report(
            title: "How much noise several decoders tolerate", question: ToleranceExperiment.question, facts: own,
            sections: [knees(findings), noise(findings), rates(findings), pictures(findings)] + findings.flatMap(sections))
    }

    /// Those of one autoencoder alone.
    private func sections(_ findings: Findings) -> [Report.Section] {
        findings.experiment.sections(findings.results).map { Report.Section("\(findings.name): \($0.heading)", $0.blocks) }
    }

    /// Where each breaks, and what the Jacobian says about it.
    private func knees(_ all: [Findings]) -> Report.Section {
        let rows = all.map { findings -> [ReportTable.Cell] in
            let (clean, knees, shape) = (findings.clean, findings.knees, findings.experiment.domain.shape)
            let perceptual = ToleranceExperiment.perceptualKnee(findings.noise(raw: false))
            return [
                .text(findings.name), .text("\(shape.channels)×\(shape.height)×\(shape.width)"),
                .init(decibels: clean?.pictures.difference.psnr), .init(clean?.pictures.difference.lpips), .init(knees.normalised),
                .init(findings.predicted?.normalised), .init(perceptual?.normalised), .init(knees.raw), .init(findings.predicted?.raw),
                .init(knees.raw.map { $0 / findings.experiment.meanVariance }), .init(clean?.jacobian?.normalisedTotal),
                .init(clean?.jacobian?.rawTotal), .init(clean?.jacobian?.channelsFelt),
            ]
        }
        let table = ReportTable(
            "Variances of noise at the knee, and E‖Jv‖² per value of the picture for noise of variance 1, \(members[0].experiment.domain.measured)",
            columns: [
                "autoencoder", "latents", "alone: PSNR, dB", "LPIPS", "knee, normalised", "by the Jacobian",
                "LPIPS + \(Figure.text(ToleranceExperiment.tolerableLPIPS)), normalised", "knee, raw", "by the Jacobian",
                "raw knee, in mean variances",
                "E‖Jv‖², normalised", "raw", "channels felt",
            ], rows: rows)
        return Report.Section("What decides tolerance", [.text(verdict(all)), .table(table), .plot(prediction(all))])
    }

    /// How far the knees are from where decoders that are as sensitive, but linear, would have them.
    private func verdict(_ all: [Findings]) -> String {
        func worst(_ unit: String, _ pairs: [(Double, Double)?]) -> String? {
            pairs.compactMap { $0 }.map { max($0.0 / $0.1, $0.1 / $0.0) }.max().map { "a factor of \(Figure.text($0)) in \(unit) units" }
        }
        let normalised = worst("normalised", all.map { pair($0.knees.normalised, $0.predicted?.normalised) })
        let raw = worst("raw", all.map { pair($0.knees.raw, $0.predicted?.raw) })
        let factors = [normalised, raw].compactMap { $0 }
        let definition = """
            A linear decoder adds noise's variance times E‖Jv‖² to its pictures' error, and so has its knee where that is the autoencoder's own error: \
            tolerance grows with that error and falls with the Jacobian.
            """
        return factors.isEmpty ? definition : definition + " The knees are within \(factors.joined(separator: " and ")) of this."
    }

    private func pair(_ a: Double?, _ b: Double?) -> (Double, Double)? {
        guard let a, let b else { return nil }
        return (a, b)
    }

    private func prediction(_ all: [Findings]) -> Plot {
        let series = all.map { findings in
            let found = pair(findings.predicted?.normalised, findings.knees.normalised).map { [Plot.Point($0.0, $0.1)] }
            return Plot.Series(findings.name, .points, colour: findings.colour, found ?? [])
        }
        let values = series.flatMap(\.points).flatMap { [$0.x, $0.y] }
        let ends = [values.min(), values.max()].compactMap { $0 }.map { Plot.Point($0, $0) }
        return Plot(
            "The knee in normalised units, as measured and by the Jacobian",
            x: PlotAxis("variance, by the Jacobian and the autoencoder's own error", .decades), y: PlotAxis("variance, as measured", .decades),
            series: series + [Plot.Series("a linear decoder", .bound, colour: 7, ends)])
    }

    private func noise(_ all: [Findings]) -> Report.Section {
        func plot(_ caption: String, _ x: String, raw isRaw: Bool, _ y: String, _ value: (Findings, ToleranceExperiment.Figures) -> Double?) -> Plot {
            let series = all.map { findings in
                let points = findings.noise(raw: isRaw).compactMap { figures in
                    value(findings, figures).map {
                        Plot.Point(isRaw ? figures.rawMSE / findings.experiment.meanVariance : figures.normalisedMSE, $0)
                    }
                }
                return Plot.Series(findings.name, colour: findings.colour, points)
            }
            return Plot(caption, x: PlotAxis(x, .decades), y: PlotAxis(y), series: series)
        }
        func lost(_ findings: Findings, _ figures: ToleranceExperiment.Figures) -> Double? {
            findings.clean.map { $0.pictures.difference.psnr - figures.pictures.difference.psnr }
        }
        let plots = [
            plot("Noise alike in normalised units", "variance, normalised", raw: false, "PSNR lost, dB", lost),
            plot("Noise alike in raw units", "variance, in mean variances of the raw latents", raw: true, "PSNR lost, dB", lost),
            plot("Noise alike in normalised units, to the eye", "variance, normalised", raw: false, "LPIPS") { $1.pictures.difference.lpips },
        ]
        return Report.Section("Equal noise", plots.map { .plot($0) })
    }

    private func rates(_ all: [Findings]) -> Report.Section {
        let plot = Plot(
            "Picture quality and bits", x: PlotAxis("bits per image", .octaves), y: PlotAxis("PSNR over RGB, dB"),
            series: all.flatMap { ToleranceExperiment.rateSeries($0.results, named: $0.name, colour: $0.colour) })
        let rows = all.flatMap { findings in ToleranceExperiment.rateRows(findings.results).map { [ReportTable.Cell.text(findings.name)] + $0 } }
        return Report.Section(
            "Equal bits",
            [
                .plot(plot),
                .table(ReportTable("The same bits, as tokens and as noise", columns: ["autoencoder"] + ToleranceExperiment.rateColumns, rows: rows)),
            ])
    }

    /// Each autoencoder's pictures of the same originals.
    private func pictures(_ all: [Findings]) -> Report.Section {
        let domain = members[0].experiment.domain
        let alone = all.map { (name: $0.name, pictures: $0.experiment.domain.sample(of: $0.experiment.domain.reporting)) }
        let variance = 0.1
        let noisy = all.compactMap { findings in findings.experiment.noisySample(variance).map { (name: findings.name, pictures: $0) } }
        let tokens = members[0].experiment.options.tokens.compactMap { tokens -> ImageGrid? in
            let drawn = all.compactMap { findings in
                findings.experiment.domain.sample(of: ToleranceExperiment.Cell.tokens(tokens)).map { (name: findings.name, pictures: $0) }
            }
            return drawn.isEmpty ? nil : domain.grid("\(tokens) tokens of \(members[0].experiment.options.codes) codes", columns: drawn)
        }
        let grids = [
            domain.grid("Autoencoders alone", columns: alone),
            domain.grid("Noise of variance \(Figure.text(variance)) in normalised units", columns: noisy),
        ]
        return Report.Section("Pictures of all", (grids + tokens).map { .images($0) })
    }
}
