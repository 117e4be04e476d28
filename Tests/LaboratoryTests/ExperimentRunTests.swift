import TestSupport
import Testing

@testable import Files
@testable import Jobs
@testable import Laboratory

@Suite struct ExperimentRunTests {
    /// Squares numbers, and counts how often it was asked to.
    private struct Squares: Experiment {
        struct Cell: Codable, Hashable, Sendable, CustomStringConvertible {
            let x: Int
            var description: String { "\(x)" }
        }

        var cells = (1...4).map(Cell.init)
        let asked: (Int) -> Void

        func measure(_ cell: Cell, isStopRequested: () -> Bool) -> Int? {
            asked(cell.x)
            return isStopRequested() ? nil : cell.x * cell.x
        }

        func report(_ results: [ExperimentResult<Cell, Int>]) -> Report {
            Report(title: "squares", question: results.map { "\($0.cell)² = \($0.figures)" }.joined(separator: ", "), facts: [], sections: [])
        }
    }

    private let source = [FileDigest(contents: [1])]

    private func run(_ folder: String, _ source: [FileDigest], stopAfter limit: Int = .max, _ asked: @escaping (Int) -> Void = { _ in }) throws
        -> Bool
    {
        var count = 0
        return try ExperimentRun("squares", in: folder, options: ["seed": 1], console: .silent).run(
            Squares(asked: {
                count += 1; asked($0)
            }), source: source, facts: [Report.Fact("n", "4")]
        ) { count > limit }
    }

    @Test func aStoppedExperimentMeasuresOnlyWhatIsMissing() throws {
        try withScratchFolder { folder in
            var asked: [Int] = []
            #expect(try !run(folder + "/parts", source, stopAfter: 2) { asked.append($0) })
            #expect(asked == [1, 2, 3], "the third noticed the stop")
            let partial = String(decoding: try StoredFile.read(folder + "/parts/report.html"), as: UTF8.self)
            #expect(partial.contains("1² = 1, 2² = 4<") && partial.contains("2 of 4 cells were measured"))
            #expect(try RunRecord(folder + "/parts").state == .unfinished)
            asked = []
            #expect(try run(folder + "/parts", source) { asked.append($0) })
            #expect(asked == [3, 4])
            #expect(try RunRecord(folder + "/parts").state == .finished)
            #expect(try run(folder + "/whole", source))
            #expect(try StoredFile.read(folder + "/whole/results.json") == StoredFile.read(folder + "/parts/results.json"))
            #expect(try StoredFile.read(folder + "/whole/report.html") == StoredFile.read(folder + "/parts/report.html"))
        }
    }

    @Test func cellsThatComeTwiceAreRefused() throws {
        try withScratchFolder { folder in
            let twice = Squares(cells: [1, 2, 1].map(Squares.Cell.init)) { _ in }
            let run = try ExperimentRun("squares", in: folder, options: ["seed": 1], console: .silent)
            let reason = "an option names the same value twice: each is measured once"
            #expect(throws: ExperimentError(reason)) { try run.run(twice, source: source, facts: []) { false } }
        }
    }

    @Test func figuresOfOtherLatentsAreNotMixedIn() throws {
        try withScratchFolder { folder in
            let path = folder + "/run"
            let isComplete = try run(path, source)
            #expect(isComplete)
            let reason = "\(path) was begun with another autoencoder, or other images or latents: choose a new folder"
            #expect(throws: FileError(path: path, reason: reason)) { try run(path, [FileDigest(contents: [2])]) }
            #expect(throws: FileError.self) { try ExperimentRun("squares", in: path, options: ["seed": 2], console: .silent) }
            #expect(throws: FileError.self) { try ExperimentRun("cubes", in: path, options: ["seed": 1], console: .silent) }
        }
    }
}
