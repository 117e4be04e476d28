import Files
import Jobs
import Pictures
import TokenizerCore

/// Everything that `revq-train evaluate` found, as it is written.
package struct EvaluationRecord: Encodable {
    package let facts: [Report.Fact]
    package let tokens: PictureFigures
    package let vae: PictureFigures
    package let metrics: CheckpointManifest.Metrics
    package let bits: Double
    /// The mean PSNR of the unquantised ``BlockDCT``.
    package let unquantizedDCT: Double
    package let baselines: [DCTBaseline]
    /// The mean PSNR through the tokens of the images that the baselines were measured on.
    package let psnrBesideBaselines: Double
    package let entries: [Evaluation.Entry]

    /// The files that ``write(to:_:_:)`` makes.
    static let resultsName = "results.json"
    static let csvName = "images.csv"
    static let reportName = "report.html"

    /// - Parameter facts: what to say about the checkpoint and the images.
    /// - Precondition: at least one image was measured.
    package init(_ evaluation: Evaluation, facts: [Report.Fact]) {
        self.facts = facts
        (tokens, vae) = evaluation.figures
        (metrics, entries, bits) = (evaluation.metrics, evaluation.entries, evaluation.quantizer.layout.bits)
        unquantizedDCT = entries.reduce(0) { $0 + $1.dctPSNR } / Double(entries.count)
        baselines = DCTBaseline.all(evaluation.baselinePictures, bits: bits)
        let beside = entries.prefix(evaluation.baselinePictures.count)
        psnrBesideBaselines = beside.reduce(0) { $0 + $1.tokens.psnr } / Double(beside.count)
    }

    /// One line per image, with a heading.
    package var csv: String {
        let hasLPIPS = tokens.difference.lpips != nil
        let kinds = ["psnr", "psnr_luma", "psnr_red", "ssim"] + (hasLPIPS ? ["lpips"] : [])
        let heading = ["image"] + kinds + kinds.map { "vae_\($0)" } + ["dct_psnr", "quantized_mse", "rectified_mse"]
        func figures(_ difference: PictureDifference) -> [Double?] {
            [difference.psnr, difference.lumaPSNR, difference.redPSNR, difference.ssim] + (hasLPIPS ? [difference.lpips] : [])
        }
        let lines = entries.map { entry in
            let values = figures(entry.tokens) + figures(entry.vae) + [entry.dctPSNR, entry.quantizedMSE, entry.rectifiedMSE]
            return ([entry.name.csvField] + values.map { $0.map { Figure.decimals($0, 5) } ?? "" }).joined(separator: ",")
        }
        return ([heading.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
    }

    /// Writes figures, table and report into a folder, which is made where it is missing.
    package func write(to directory: String, _ evaluation: Evaluation, _ images: SquareImages) throws(FileError) {
        try StoredFolder.create(directory)
        try StoredFile.write(JSONFile.bytes(self), to: "\(directory)/\(Self.resultsName)")
        try StoredFile.write(Array(csv.utf8), to: "\(directory)/\(Self.csvName)")
        try EvaluationReport(self, evaluation, images).report.write(to: "\(directory)/\(Self.reportName)")
    }
}

extension String {
    /// The text as one field of a CSV file. Source: RFC 4180.
    fileprivate var csvField: String {
        guard utf8.contains(where: { [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0) }) else {
            return self
        }
        return "\"" + split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
