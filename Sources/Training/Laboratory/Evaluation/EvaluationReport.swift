import Jobs
import Networks
import Pictures
import TokenizerCore

/// What `revq-train evaluate` found, for people.
struct EvaluationReport {
    private static let worstCases = 8

    private let record: EvaluationRecord
    private let evaluation: Evaluation
    private let images: SquareImages

    init(_ record: EvaluationRecord, _ evaluation: Evaluation, _ images: SquareImages) {
        (self.record, self.evaluation, self.images) = (record, evaluation, images)
    }

    var report: Report {
        let layout = evaluation.quantizer.layout
        return Report(
            title: "Evaluation: \(layout.tokens) tokens of \(layout.codes) codes",
            question: """
                How near are pictures that went through the tokens to their originals, what would the autoencoder alone have allowed, and \
                what does a transform without learning give at the same number of bits?
                """,
            facts: record.facts, sections: [quality, perImage, baselines, latents, worst])
    }

    private var quality: Report.Section {
        let layout = evaluation.quantizer.layout
        let rows = [
            PublishedFigures.row("\(layout.tokens) tokens, \(Figure.text(record.bits)) bits", record.tokens),
            PublishedFigures.row("autoencoder alone", record.vae),
        ]
        var blocks: [Report.Section.Block] = [
            .table(
                ReportTable(
                    "Means over \(Figure.count(record.tokens.images, "image")), and what the paper reports on ImageNet's validation pictures",
                    columns: PublishedFigures.columns, rows: rows + PublishedFigures.settings.map(PublishedFigures.row))),
            .text("The paper's PSNR is that of the red channel alone: compare it with ours of red, and only as far as the pictures are alike."),
        ]
        let classified = [("through the tokens", record.tokens.classified), ("autoencoder alone", record.vae.classified)]
        let distances = classified.compactMap { name, distance in distance.map { "\(name) \($0.text)" } }
        if !distances.isEmpty { blocks.append(.text(distances.joined(separator: "; ") + ". It is not FID, whose network is another one.")) }
        let isDistribution = record.tokens.distribution != nil || !distances.isEmpty
        if isDistribution, let warning = PictureFigures.bias(of: record.tokens.images) { blocks.append(.text(warning)) }
        return Report.Section("Picture quality", blocks)
    }

    private var perImage: Report.Section {
        let sorted = record.entries.sorted { $0.tokens.psnr < $1.tokens.psnr }
        func series(_ name: String, _ colour: Int, _ value: (Evaluation.Entry) -> Double) -> Plot.Series {
            Plot.Series(name, colour: colour, sorted.enumerated().map { Plot.Point(Double($0.offset + 1), value($0.element)) })
        }
        let plot = Plot(
            "PSNR of each of \(Figure.count(record.entries.count, "image")), the worst first",
            x: PlotAxis("images, in order of PSNR through the tokens", .wholes), y: PlotAxis("PSNR, dB"),
            series: [
                series("through the tokens", 0, \.tokens.psnr), series("autoencoder alone", 1, \.vae.psnr),
                series("8 DCT coefficients per 16×16 block, unquantised", 7, \.dctPSNR),
            ])
        return Report.Section("Image by image", [.plot(plot)])
    }

    private var baselines: Report.Section {
        let rows: [[ReportTable.Cell]] = [
            [.text("tokens"), .text("–"), .number(record.bits), .decibels(record.psnrBesideBaselines)],
            [.text("8 coefficients, unquantised"), .text("16×16"), .text("not counted"), .decibels(record.unquantizedDCT)],
        ]
        let coded = record.baselines.map { baseline -> [ReportTable.Cell] in
            let name = baseline.coding == .fixedLength ? "block DCT, fixed length" : "block DCT, ideal entropy coder"
            return [.text(name), .text("\(baseline.side)×\(baseline.side)"), .number(baseline.bits), .decibels(baseline.psnr)]
        }
        let count = record.baselines.first?.images ?? 0
        return Report.Section(
            "Without learning, at the same number of bits",
            [
                .table(
                    ReportTable(
                        "Mean PSNR over RGB of the first \(count) images (the unquantised row: all images)",
                        columns: ["method", "blocks", "bits per image", "PSNR, dB"], rows: rows + coded)),
                .text(
                    """
                    Both codecs transform orthonormal colours block by block and sort coefficients into bands of equal colour and equal distance from \
                    frequency zero. Fixed length: every image takes exactly these bits, as tokens do; whole bits are dealt to coefficients \
                    where they save most, and each band has Lloyd–Max levels. Ideal entropy coder: one step with a dead zone for all, centroids \
                    as levels, and first-order entropies of the bands as lengths, averaged over the images, so that a busy image takes more than a \
                    plain one. All tables are made from these very images and cost nothing. Tokens could be entropy coded, too; they are not here.
                    """),
            ])
    }

    private var latents: Report.Section {
        let metrics = record.metrics
        let rows: [[ReportTable.Cell]] = [
            [.text("mean squared error of the normalised latents, quantised"), .number(metrics.quantizedMSE)],
            [.text("… and rectified"), .number(metrics.rectifiedMSE)],
            [.text("share of the codes that were chosen"), .number(metrics.codebookUse)],
            [.text("perplexity of their use, of \(evaluation.quantizer.layout.codes)"), .number(metrics.perplexity)],
        ]
        return Report.Section(
            "Latents and codes",
            [.table(ReportTable("Over the same \(Figure.count(record.entries.count, "image"))", columns: ["figure", "value"], rows: rows))])
    }

    private var worst: Report.Section {
        let entries = record.entries.sorted { $0.tokens.psnr < $1.tokens.psnr }.prefix(Self.worstCases)
        let rows = entries.compactMap { entry -> ImageGrid.Row? in
            guard let original = images.image(at: entry.index) else { return nil }
            let drawing = evaluation.draw(original)
            let caption =
                "\(entry.name): \(Figure.decimals(entry.tokens.psnr, 2)) dB through the tokens, \(Figure.decimals(entry.vae.psnr, 2)) dB through the autoencoder alone"
            return ImageGrid.Row(caption, [original, drawing.vae, drawing.tokens])
        }
        return Report.Section(
            "Worst cases",
            [
                .images(
                    ImageGrid(
                        "The \(rows.count) images of lowest PSNR", columns: ["original", "autoencoder alone", "through the tokens"], rows: rows))
            ])
    }
}
