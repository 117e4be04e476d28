import Files
import Jobs

/// `revq-train runs list`: the runs under a folder, a line each.
package struct RunList {
    private let runs: [RunRecord]
    private let folder: String

    /// - Throws: when there are none.
    package init(_ folder: String) throws(FileError) {
        runs = try RunRecord.all(under: folder)
        self.folder = folder
        guard !runs.isEmpty else { throw FileError(folder, "holds no runs") }
    }

    package var text: String {
        TextTable([["run", "command", "state", "step", "took", "latest"]] + runs.map(row)).text
    }

    private func row(_ run: RunRecord) -> [String] {
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        let name = run.path.hasPrefix(prefix) ? String(run.path.dropFirst(prefix.count)) : run.path
        // What was measured on held-out pictures or latents says more than a loss.
        let figures = run.curves.filter { RunRecord.direction(of: $0.key) != .neither }.keys.sorted()
        let shown = figures.filter { $0.hasPrefix("held_out") } + figures.filter { !$0.hasPrefix("held_out") }
        let latest = shown.first.flatMap { figure in run.summary(of: figure).map { "\(figure) \($0)" } } ?? "–"
        return [
            name, run.command, run.state.rawValue, run.log.isEmpty ? "–" : "\(run.steps)", run.seconds.map(Figure.clock) ?? "–", latest,
        ]
    }
}
