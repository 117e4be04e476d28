import TestSupport
import Testing

@testable import Files
@testable import Jobs

@Suite struct RunRecordTests {
    private struct Options: Encodable {
        struct Nested: Encodable {
            var seed = 1
            var rates = [0.5, 0.25]
        }
        var command = "dance"
        var options = Nested()
    }

    @Test func aFolderTellsItsRun() throws {
        try withScratchFolder { folder in
            do {
                let run = try RunDirectory(folder + "/a", options: Options())
                #expect(try RunRecord(folder + "/a").state == .running)
                let log = try TrainingLog(run.logPath, resumedAt: 0) { .seconds(5) }
                for (step, psnr) in [(1, 20.0), (2, 22), (3, 21)] {
                    try log.append(step: step, images: 4, ["held_out_psnr": psnr, "loss": 1 / psnr])
                }
            }
            let run = try RunRecord(folder + "/a")
            #expect(run.command == "dance" && run.options == ["seed": "1", "rates": "[0.5, 0.25]"] && run.state == .unfinished)
            #expect(run.steps == 3 && run.seconds == 5 && run.best("held_out_psnr")! == (2, 22) && run.best("loss")! == (2, 1 / 22.0))
            #expect(run.curves["images_per_second"] == nil && run.best("gradient_norm") == nil)
            let results = folder + "/a/results.json"
            for (text, state) in [("{\"missing\": 2}", RunRecord.State.unfinished), ("{\"cells\": []}", .finished)] {
                try StoredFile.write(Array(text.utf8), to: results)
                #expect(try RunRecord(folder + "/a").state == state)
            }
            StoredFolder.remove(results)
            try StoredFolder.create(folder + "/a/fit")
            #expect(try RunRecord(folder + "/a").state == .finished)
        }
    }

    @Test func runsAreFoundBelowAFolderAndNotInsideEachOther() throws {
        try withScratchFolder { folder in
            for path in ["b", "deep/er/a", "b/inner"] {
                try StoredFolder.create("\(folder)/\(path)")
                _ = try RunDirectory("\(folder)/\(path)/run", options: Options())
            }
            _ = try RunDirectory(folder + "/b/run/states", options: Options())
            try StoredFolder.create(folder + "/vae")
            try StoredFile.write(Array("{\"_class_name\": \"AutoencoderDC\"}".utf8), to: folder + "/vae/config.json")
            #expect(
                try RunRecord.all(under: folder).map { String($0.path.dropFirst(folder.count + 1)) } == ["b/inner/run", "b/run", "deep/er/a/run"])
            let reason = "\(folder)/vae: is not a run's folder: it has no config.json of a run"
            #expect(throws: FileError(path: folder + "/vae", reason: reason)) { try RunRecord(folder + "/vae") }
        }
    }

    @Test func tablesAndCurvesAreText() {
        #expect(TextTable([["a", "bb"], ["ccc", ""], ["d", "e", "f"]]).text == "a    bb\nccc\nd    e   f\n")
        #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7], in: 0...7, width: 8) == "▁▂▃▄▅▆▇█")
        #expect(Sparkline.text([0, 2, 7, 7], in: 0...7, width: 2) == "▂█" && Sparkline.text([3, 3], in: 3...3, width: 9) == "▅▅")
    }

    @Test func smallNumbersKeepTwoDigits() {
        #expect([0.0123, 0.001, 3.19e-5, 9.99e-6, 1e-7, 12.6, 1].map(Figure.significant) == ["0.012", "0.001", "3.2e-5", "1e-5", "1e-7", "13", "1"])
    }
}
