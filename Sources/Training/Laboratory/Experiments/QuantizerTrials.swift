import Fitting
import Networks

/// The cells of an experiment that fits a quantiser for each, by Lloyd's algorithm, in one domain.
struct QuantizerTrials<Cell: CustomStringConvertible & Sendable>: Sendable {
    /// Those whose quantisers can be fitted.
    let cells: [Cell]
    /// Why the others cannot, a line each.
    let refusals: [String]
    private let domain: LatentDomain
    private let passes: Int
    private let seed: UInt64
    private let quantizer: @Sendable (Cell) -> QuantizerOptions

    /// - Parameters:
    ///   - all: every combination that was asked for.
    ///   - passes: of Lloyd's algorithm.
    ///   - quantizer: what a cell stands for.
    /// - Throws: when no combination is possible.
    init(
        _ all: [Cell], in domain: LatentDomain, passes: Int, seed: UInt64, _ quantizer: @escaping @Sendable (Cell) -> QuantizerOptions
    ) throws(ExperimentError) {
        guard (0...1000).contains(passes) else { throw ExperimentError("--passes is in 0...1000, not \(passes)") }
        var (kept, refusals): ([Cell], [String]) = ([], [])
        for cell in all {
            do throws(ExperimentError) {
                try domain.check(quantizer(cell))
                kept.append(cell)
            } catch {
                refusals.append("\(cell): \(error)")
            }
        }
        guard !kept.isEmpty else { throw ExperimentError("no combination is possible; \(refusals.first ?? "none was named")") }
        (cells, self.refusals, self.domain) = (kept, refusals, domain)
        (self.passes, self.seed, self.quantizer) = (passes, seed, quantizer)
    }

    /// - Returns: nil when a stop was requested before the fit was finished.
    func measure(_ cell: Cell, isStopRequested: () -> Bool) throws(ExperimentError) -> QuantizerFigures? {
        let fit = try LloydFit(quantizer(cell), in: domain, passes: passes, seed: seed, isStopRequested: isStopRequested)
        return try fit.map { fit throws(ExperimentError) in try QuantizerFigures(fit, in: domain, cell) }
    }

    /// Of what the figures are.
    var measured: String { domain.measured }

    /// Held-out pictures of some cells, if there are any.
    func pictures(_ caption: String, _ cells: [(name: String, cell: Cell)]) -> [Report.Section.Block] {
        domain.grid(caption, of: cells).map { [.images($0)] } ?? []
    }

    /// The error, beside what theory allows; one heading for each of ``cells(_:)``.
    static var columns: [String] {
        ["PSNR, dB", "95 % interval", "SSIM", "MSE", "distortion", "Shannon, white", "Zador, white", "grouped Zador", "water-filling"]
    }

    static func cells(_ figures: QuantizerFigures) -> [ReportTable.Cell] {
        let (difference, bounds) = (figures.pictures?.difference, figures.bounds)
        return [
            .init(decibels: difference?.psnr), .init(intervalOf: figures.pictures?.psnr), .init(difference?.ssim),
            .number(figures.heldOut.quantizedMSE), .number(figures.heldOut.distortion),
            .init(bounds?.shannon), .init(bounds?.zador), .init(bounds?.groupedZador), .init(bounds?.waterFilling),
        ]
    }
}
