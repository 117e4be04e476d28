import Files
import Jobs

/// Runs an experiment in a folder and goes on where it was interrupted: every finished cell is kept in `results.json` and not measured
/// again; `report.html` shows the finished ones.
package struct ExperimentRun {
    /// `config.json`: the same call goes on, another one is refused.
    private struct Record<Options: Encodable>: Encodable {
        let command: String
        let options: Options
    }

    private struct Results<Cell: Codable & Sendable, Figures: Codable & Sendable>: Codable {
        var formatVersion = 1
        let command: String
        var facts: [Report.Fact]
        /// What the figures depend on besides the options: another autoencoder, other images or latents are not mixed.
        let source: [FileDigest]
        /// How many cells are still to be measured; nil when all are there.
        var missing: Int?
        var cells: [ExperimentResult<Cell, Figures>]
    }

    private static let resultsName = "results.json"
    private static let reportName = "report.html"

    private let command: String
    package let directory: RunDirectory
    private let console: Console

    /// Opens the folder, new or begun.
    /// - Throws: when it holds something else, or was begun with other options.
    package init(_ command: String, in path: String, options: some Encodable, console: Console) throws(FileError) {
        // Latents that ``LatentDomain`` extracted say themselves what they are of.
        directory = try RunDirectory(path, options: Record(command: command, options: options)) { $0.hasPrefix("latents-") }
        (self.command, self.console) = (command, console)
    }

    /// Where an experiment may keep what it makes on the way.
    private var path: String { directory.path }

    /// Measures the cells that are missing, and writes the report.
    ///
    /// - Parameters:
    ///   - source: digests of what is measured.
    ///   - facts: what else a reader must know.
    /// - Returns: whether all cells are done; false when a stop was requested.
    package func run<E: Experiment>(
        _ experiment: consuming E, source: [FileDigest], facts: [Report.Fact], isStopRequested: () -> Bool = { StopSignal.isRequested }
    ) throws -> Bool {
        var experiment = experiment
        guard Set(experiment.cells).count == experiment.cells.count else {
            throw ExperimentError("an option names the same value twice: each is measured once")
        }
        var results = try begun(E.self, source, facts)
        let known = Set(results.cells.map(\.cell))
        let missing = experiment.cells.filter { !known.contains($0) }
        console.begin(total: experiment.cells.count, start: experiment.cells.count - missing.count, unit: "cell")
        for cell in missing {
            guard !isStopRequested(), let figures = try experiment.measure(cell, isStopRequested: isStopRequested) else { break }
            results.cells.append(ExperimentResult(cell: cell, figures: figures))
            let left = experiment.cells.count - results.cells.count
            results.missing = left == 0 ? nil : left
            try StoredFile.write(JSONFile.bytes(results), to: "\(path)/\(Self.resultsName)")
            console.update(done: results.cells.count, figures: ["\(cell)"])
        }
        console.closeLine()
        let isComplete = results.cells.count == experiment.cells.count
        if !results.cells.isEmpty { try write(experiment, results, isComplete: isComplete) }
        return isComplete
    }

    private func write<E: Experiment>(
        _ experiment: E, _ results: Results<E.Cell, E.Figures>, isComplete: Bool
    ) throws(FileError) {
        let order = Dictionary(uniqueKeysWithValues: experiment.cells.enumerated().map { ($1, $0) })
        var report = experiment.report(results.cells.sorted { (order[$0.cell] ?? 0) < (order[$1.cell] ?? 0) })
        report.facts += results.facts
        if !isComplete {
            report.facts.insert(Report.Fact("unfinished", "\(results.cells.count) of \(experiment.cells.count) cells were measured"), at: 0)
        }
        try report.write(to: "\(path)/\(Self.reportName)")
    }

    private func begun<E: Experiment>(
        _: E.Type, _ source: [FileDigest], _ facts: [Report.Fact]
    ) throws(FileError) -> Results<E.Cell, E.Figures> {
        let file = "\(path)/\(Self.resultsName)"
        guard StoredFile.exists(file) else { return Results(command: command, facts: facts, source: source, cells: []) }
        var found = try JSONFile.read(Results<E.Cell, E.Figures>.self, from: file)
        guard found.source == source else {
            throw FileError(path: path, reason: "\(path) was begun with another autoencoder, or other images or latents: choose a new folder")
        }
        found.facts = facts
        return found
    }
}
