import TestSupport
import Testing

@testable import Files
@testable import Jobs
@testable import Laboratory

@Suite struct RunComparisonTests {
    private struct Options: Encodable {
        struct Inner: Encodable {
            var rate: Double
            var seed = 1
            var extra: Int?
        }
        var command = "vae"
        var options: Inner
    }

    private func make(_ path: String, rate: Double, extra: Int? = nil, psnr: [Double]) throws {
        let run = try RunDirectory(path, options: Options(options: .init(rate: rate, extra: extra)))
        let log = try TrainingLog(run.logPath, resumedAt: 0) { .seconds(90) }
        for (index, value) in psnr.enumerated() {
            try log.append(step: index + 1, images: 8, ["held_out_psnr": value, "learning_rate": rate])
        }
    }

    @Test func whatDiffersAndWhatCameOfIt() throws {
        try withScratchFolder { folder in
            let (a, b) = (folder + "/a", folder + "/b")
            try make(a, rate: 0.1, psnr: [10, 20, 15])
            try make(b, rate: 0.01, extra: 3, psnr: [10, 11, 12, 13])
            let comparison = try RunComparison([a, b])
            #expect(
                comparison.differences.map(\.name) == ["extra", "rate"] && comparison.differences.map(\.values) == [["–", "3"], ["0.1", "0.01"]])
            #expect(comparison.runs.map { comparison.summary("held_out_psnr", of: $0) } == ["15 (20 at step 2)", "13"])
            let text = comparison.text
            #expect(text.contains("unfinished  3      1:30") && text.contains("held_out_psnr  \(a)  ▁█▅") && !text.contains("seed"))
            let html = comparison.report.html
            for part in ["Options that differ", ">0.01</td>", "15 (20 at step 2)", "held_out_psnr, step by step", "learning_rate, step by step"] {
                #expect(html.contains(part), "\(part)")
            }
            #expect(!html.contains("http") && !html.contains("<script"))
        }
    }

    @Test func aLongRunIsDrawnWithFewPoints() throws {
        try withScratchFolder { folder in
            try make(folder + "/a", rate: 0.1, psnr: (0..<5000).map { Double($0 % 7) })
            try make(folder + "/b", rate: 0.2, psnr: [1])
            let html = try RunComparison([folder + "/a", folder + "/b"]).report.html
            #expect(html.utf8.count < 60_000, "\(html.utf8.count)")
        }
    }

    @Test func runsAreListed() throws {
        try withScratchFolder { folder in
            try make(folder + "/new/a", rate: 0.1, psnr: [10, 20])
            try StoredFolder.create(folder + "/new/a/vae")
            #expect(
                try RunList(folder).text
                    == "run    command  state     step  took  latest\nnew/a  vae      finished  2     1:30  held_out_psnr 20\n")
            try StoredFolder.create(folder + "/empty")
            #expect(throws: FileError(folder + "/empty", "holds no runs")) { try RunList(folder + "/empty") }
        }
    }

    @Test func aRunIsNotComparedWithItself() throws {
        try withScratchFolder { folder in
            try make(folder + "/a", rate: 0.1, psnr: [10])
            #expect(throws: FileError(folder + "/a", "is named twice")) { try RunComparison([folder + "/a", folder + "/a"]) }
            #expect(throws: FileError.self) { try RunComparison([folder + "/a", folder]) }
        }
    }
}
