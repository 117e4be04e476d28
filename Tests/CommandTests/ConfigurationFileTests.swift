import TestSupport
import Testing

@testable import Files

/// Options from a file.
@Suite struct ConfigurationFileTests {
    @Test func aFileGivesOptionsAndTheCommandLineWins() throws {
        try withScratchFolder { folder in
            let scratch = (yaml: folder + "/run.yaml", json: folder + "/run.json")
            try StoredFile.write(Array("# pictures\noutput: \(folder)/a\ncount: 3\nsize: 32\nseed: 18446744073709551615\n".utf8), to: scratch.yaml)
            try StoredFile.write(
                Array("{\"output\": \"\(folder)/b\", \"count\": 7, \"size\": 32, \"seed\": \"18446744073709551615\"}".utf8), to: scratch.json)
            for arguments in [["--config", scratch.yaml], ["--config=\(scratch.json)", "--count", "3"], ["--count=3", "--config", scratch.json]] {
                let ended = try TrainCommand.run(["synthesize"] + arguments)
                #expect(ended.status == 0 && ended.errors.contains("done: 3 pictures"), "\(ended)")
            }
            #expect(try StoredFile.read(folder + "/a/00000002.png") == StoredFile.read(folder + "/b/00000002.png"))
        }
    }

    @Test(arguments: [
        ("synthesize", "ouput: x", "ouput is no option of synthesize; the nearest is output"),
        ("fit", "learning_rate: 1", "learning_rate is no option of fit; the nearest is learning-rate"),
        (
            "vae", "{\"_class_name\": \"AutoencoderDC\", \"latent_channels\": 32}",
            "is an autoencoder's configuration, not options of vae: name it with --architecture"
        ),
        ("fit", "config: other.yaml", "config is no option of fit; the nearest is codes"),
        ("fit", "residual: yes", "residual is true or false, not yes"), ("fit", "tokens: [1, 2]", "tokens is one value, not a list"),
        ("fit", "tokens 3", "line 1: expected \"name: value\", found \"tokens 3\""),
    ])
    func whatTheFileHasWrongIsNamed(command: String, text: String, reason: String) throws {
        try withScratchFolder { folder in
            try StoredFile.write(Array(text.utf8), to: folder + "/run.yaml")
            let ended = try TrainCommand.run([command, "--config", folder + "/run.yaml", "--output", folder + "/run"])
            #expect(ended.status == 1 && ended.errors == "Error: \(folder)/run.yaml: \(reason)\n", "\(ended)")
            #expect(try StoredFolder.names(in: folder) == ["run.yaml"])
        }
    }

    @Test func oneFileAtMost() throws {
        let ended = try TrainCommand.run(["fit", "--config", "a.yaml", "--config=b.yaml"])
        #expect(ended.status == 1 && ended.errors == "Error: --config names two files, a.yaml and b.yaml: name one\n")
        #expect(try TrainCommand.run(["fit", "--config", "/nowhere.yaml"]).errors.hasPrefix("Error: cannot open /nowhere.yaml"))
    }

    /// What a run keeps is complete: it repeats the run, or goes on with it, and its options are all that the command has.
    @Test func aRunKeepsAllOfItsOptions() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            _ = try TinyTraining.extraction(place, to: folder + "/latents").run { false }
            let vae = [
                "vae", "--images", place.pictures, "--output", folder + "/vae-run", "--from", place.vae, "--size", "32", "--crop", "16",
                "--split", "60/15/25", "--split-seed", "3152", "--batch", "4", "--steps", "2", "--minutes", "9", "--tensorboard",
            ]
            let fit = [
                "fit", "--latents", folder + "/latents", "--output", folder + "/fit-run", "--preset", "512T", "--tokens", "192", "--codes", "2",
                "--epochs", "1", "--rectifier-width", "48", "--rectifier-depth", "1", "--rectifier-head", "16",
            ]
            for (arguments, missing) in [
                (
                    vae,
                    [
                        "augment", "code-averaging", "commitment", "fit", "lr-range", "latent-bits", "minutes", "threads", "perceptual",
                        "perceptual-weight",
                    ]
                ),
                (
                    fit,
                    [
                        "vae", "minutes", "perceptual", "perceptual-weight", "rectifier-rank", "rectifier-reach", "threads",
                    ]
                ),
            ] {
                let first = try TrainCommand.run(arguments)
                #expect(first.status == 0, "\(first.errors)")
                let kept = arguments[4] + "/options.yaml"
                let again = try TrainCommand.run([arguments[0], "--config", kept])
                #expect(again.status == 0 && again.errors.contains("finished before"), "\(again)")
                let names = String(decoding: try StoredFile.read(kept), as: UTF8.self).split(separator: "\n").dropFirst().map {
                    $0.prefix { $0 != ":" }
                }
                let help = try TrainCommand.run([arguments[0], "--help"]).output
                let all = help.split(separator: "\n").compactMap { $0.firstMatch(of: /^  (?:-h, )?--([a-z-]+)/)?.1 }
                #expect(Set(all).subtracting(names) == Set(missing.map { $0[...] } + ["config", "version", "help"]), "\(names)")
                #expect(Set(names).isSubset(of: all))
            }
            #expect(try StoredFolder.names(in: folder + "/vae-run/tensorboard").map { $0.hasPrefix("events.out.tfevents.") } == [true])
        }
    }

    @Test func severalAutoencodersAreOneList() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let other = try TinyTraining.vae(in: folder + "/other", seed: 2)
            let ended = try TrainCommand.run([
                "tolerance", "--vae", place.vae, other, "--images", place.pictures, "--output", folder + "/run", "--size", "32",
                "--split", "60/15/25", "--split-seed", "3152", "--tokens", "192", "--codes", "4", "--passes", "1",
            ])
            #expect(ended.status == 0, "\(ended.errors)")
            let text = String(decoding: try StoredFile.read(folder + "/run/options.yaml"), as: UTF8.self)
            #expect(text.contains("vae: [") && text.contains(place.vae) && text.contains(other), "\(text)")
            #expect(try TrainCommand.run(["tolerance", "--config", folder + "/run/options.yaml"]).status == 0)
            let results = String(decoding: try StoredFile.read(folder + "/run/results.json"), as: UTF8.self)
            #expect(results.contains("\"autoencoder\" : \"vae\"") && results.contains("\"autoencoder\" : \"other\""))
        }
    }

    @Test func experimentsKeepTheirsToo() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let ended = try TrainCommand.run([
                "sweep-tokens", "--vae", place.vae, "--images", place.pictures, "--output", folder + "/run", "--size", "32",
                "--split", "60/15/25", "--split-seed", "3152", "--tokens", "192", "96", "--codes", "4", "--passes", "1",
            ])
            #expect(ended.status == 0, "\(ended.errors)")
            let text = String(decoding: try StoredFile.read(folder + "/run/options.yaml"), as: UTF8.self)
            #expect(text.contains("\ntokens: [192, 96]\ncodes: [4]\ngrouping: strip\n"))
            #expect(try TrainCommand.run(["sweep-tokens", "--config", folder + "/run/options.yaml"]).status == 0)
        }
    }
}
