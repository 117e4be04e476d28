import TestSupport
import Testing

@testable import Files

/// Trainings that start from something, end in time, and are looked at.
@Suite struct RunCommandTests {
    private func vae(_ folder: String, _ more: String...) throws -> [String] {
        let pictures = StoredFolder.exists(folder + "/pictures") ? folder + "/pictures" : try TinyTraining.pictures(in: folder)
        return ["vae", "--images", pictures, "--size", "32", "--crop", "16", "--split", "60/15/25", "--split-seed", "3152", "--batch", "4"] + more
    }

    @Test func aTrainingEndsInTimeWithoutAFailure() throws {
        try withScratchFolder { folder in
            let start = try TinyTraining.vae(in: folder + "/vae", seed: 1)
            let ended = try TrainCommand.run(vae(folder, "--from", start, "--output", folder + "/run", "--steps", "10000000", "--minutes", "0.0001"))
            #expect(
                ended.status == 0 && ended.errors.hasSuffix(" of 10000000\n0.0001 minutes are over; the same command goes on from here\n"), "\(ended)"
            )
            #expect(try StoredFolder.names(in: folder + "/run/states").count == 1)
            let latents = folder + "/latents"
            _ = try TinyTraining.extraction((folder + "/pictures", start), to: latents).run { false }
            let fit = try TrainCommand.run([
                "fit", "--latents", latents, "--output", folder + "/fit", "--tokens", "192", "--codes", "4", "--passes", "1000000",
                "--minutes", "0.0001",
            ])
            #expect(fit.status == 0 && fit.errors.hasSuffix(" of 1000000\n0.0001 minutes are over; the same command goes on from here\n"), "\(fit)")
        }
    }

    @Test func ratesAreTriedAndOneIsSuggested() throws {
        try withScratchFolder { folder in
            let start = try TinyTraining.vae(in: folder + "/vae", seed: 1)
            let ended = try TrainCommand.run(
                vae(folder, "--from", start, "--output", folder + "/range", "--lr-range", "1e-6:1", "--steps", "60", "--tensorboard"))
            #expect(
                ended.status == 0 && ended.errors.contains("the smoothed loss ") && ended.errors.hasSuffix("done: \(folder)/range/report.html\n"),
                "\(ended)")
            #expect(
                try StoredFolder.names(in: folder + "/range").sorted()
                    == [".lock", "config.json", "log.jsonl", "lr-range.json", "options.yaml", "report.html", "tensorboard"])
            let wrong = try TrainCommand.run(vae(folder, "--from", start, "--output", folder + "/x", "--lr-range", "1:0.1"))
            #expect(wrong.status == 64 && wrong.errors.contains("'1:0.1' is invalid for '--lr-range <lr-range>'"), "\(wrong)")
        }
    }

    @Test func contradictionsAreNamedBeforeAnythingIsWritten() throws {
        try withScratchFolder { folder in
            let start = try TinyTraining.vae(in: folder + "/vae", seed: 1)
            let output = ["--output", folder + "/run"]
            for (more, reason) in [
                ([], "name --architecture, or --from to train a finished autoencoder further"),
                (["--architecture", "x", "--fit", "y"], "--fit goes with --from, the autoencoder that it was made for"),
                (["--from", start, "--lr-range", "1e-6:1", "--minutes", "1"], "--minutes does not go with --lr-range, which is short"),
                (["--from", start, "--minutes", "0"], "--minutes is above 0 and at most 1000000, not 0.0"),
            ] as [([String], String)] {
                let ended = try TrainCommand.run(vae(folder) + output + more)
                #expect(ended.status == 64 && ended.errors.hasPrefix("Error: \(reason)\n"), "\(ended)")
            }
            let ended = try TrainCommand.run(vae(folder, "--from", start, "--measure-every", "0") + output)
            #expect(ended.status == 1 && ended.errors == "Error: --measure-every is in 1...16777216, not 0\n", "\(ended)")
            #expect(!StoredFolder.exists(folder + "/run"))
        }
    }

    @Test func runsAreListedAndCompared() throws {
        try withScratchFolder { folder in
            let start = try TinyTraining.vae(in: folder + "/vae", seed: 1)
            for (name, rate) in [("a", "0.001"), ("b", "0.01")] {
                let ended = try TrainCommand.run(
                    vae(folder, "--from", start, "--output", "\(folder)/runs/\(name)", "--steps", "3", "--learning-rate", rate))
                #expect(ended.status == 0, "\(ended.errors)")
            }
            let listed = try TrainCommand.run(["runs", "list", folder + "/runs"])
            let rows = listed.output.split(separator: "\n").map { $0.split(separator: " ").prefix(4).joined(separator: " ") }
            #expect(rows == ["run command state step", "a vae finished 3", "b vae finished 3"], "\(listed)")
            let html = folder + "/comparison.html"
            let compared = try TrainCommand.run(["runs", "compare", folder + "/runs/a", folder + "/runs/b", "--output", html])
            #expect(
                compared.status == 0 && compared.output.contains("training.learningRate") && compared.output.contains("held_out_psnr"), "\(compared)")
            #expect(String(decoding: try StoredFile.read(html), as: UTF8.self).contains("<svg"))
            let wrong = try TrainCommand.run(["runs", "compare", folder + "/runs/a", folder + "/vae"])
            #expect(wrong.status == 1 && wrong.errors == "Error: \(folder)/vae: is not a run's folder: it has no config.json of a run\n")
        }
    }

    /// The list is the parser's own.
    @Test func everyCommandShowsExamplesAndTakesAFile() throws {
        let names = try TrainCommand.run(["--help"]).output.split(separator: "\n").compactMap { $0.firstMatch(of: /^  ([a-z][a-z-]*) +[A-Z]/)?.1 }
        #expect(names.count >= 14, "\(names)")
        for name in names where name != "help" {
            let help = try TrainCommand.run([String(name), "--help"]).output
            #expect(help.contains("Examples:\n  revq-train \(name)"), "\(name)")
            let examples = try #require(help.split(separator: "Examples:\n").last?.split(separator: "\n\n").first)
            #expect(examples.split(separator: "\n").allSatisfy { $0.hasPrefix("  ") }, "lines that fit are not broken: \(examples)")
            #expect(help.contains("--config <config>") == !["import", "runs"].contains(name), "\(name)")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completionsKnowCommandsAndOptions(shell: String) throws {
        let script = try TrainCommand.run(["--generate-completion-script", shell])
        #expect(script.status == 0 && script.output.contains("lr-range") && script.output.contains("sweep-tokens"))
    }
}
