import Glibc
import TestSupport
import Testing

@testable import Files
@testable import Images

/// Commands that a signal cuts short: scripts must see it, and the same command goes on.
@Suite struct StopTests {
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func synthesisEndsWithTheSignalsStatus(signal: Int32, status: Int32) throws {
        try withScratchFolder { folder in
            let arguments = ["synthesize", "--output", folder + "/pictures", "--count", "200000", "--size", "32"]
            let ended = try TrainCommand.run(arguments, stop: (signal, "images"))
            #expect(ended.status == status && ended.errors.contains("the same command goes on from here"), "\(ended)")
        }
    }

    @Test func fitEndsWithTheSignalsStatusAndHasSaved() throws {
        try withScratchFolder { folder in
            _ = try TinyTraining.extraction(TinyTraining.place(in: folder), to: folder + "/latents").run { false }
            let arguments = [
                "fit", "--latents", folder + "/latents", "--output", folder + "/run", "--tokens", "192", "--codes", "4", "--passes", "1000000",
            ]
            let ended = try TrainCommand.run(arguments, stop: (SIGTERM, "images"))
            #expect(ended.status == 143 && ended.errors.hasSuffix("stopped; the same command goes on from here\n"), "\(ended)")
            #expect(try StoredFolder.names(in: folder + "/run/states").count == 1)
        }
    }

    @Test func trainingAnAutoencoderEndsWithTheSignalsStatusAndHasSaved() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let arguments = [
                "vae", "--images", place.pictures, "--output", folder + "/run", "--architecture", place.vae + "/config.json", "--size", "32",
                "--crop", "16", "--split", "60/15/25", "--split-seed", "3152", "--batch", "4", "--steps", "1000000",
            ]
            let ended = try TrainCommand.run(arguments, stop: (SIGINT, "steps"))
            #expect(ended.status == 130 && ended.errors.hasSuffix("stopped; the same command goes on from here\n"), "\(ended)")
            #expect(try StoredFolder.names(in: folder + "/run/states").count == 1)
        }
    }

    /// Both wait for the latents of another process when the signal comes.
    @Test(arguments: [["extract"], ["tolerance"]])
    func commandsThatWaitEndWithTheSignalsStatus(command: [String]) throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            try StoredFolder.create(folder + "/latents")
            let lock = try FileLock(file: folder + "/latents/.lock", waits: false)
            let output =
                command == ["extract"] ? ["--output", folder + "/latents"] : ["--latents", folder + "/latents", "--output", folder + "/run"]
            let ended = try TrainCommand.run(
                command + ["--images", place.pictures, "--vae", place.vae, "--size", "32"] + output, stop: (SIGINT, "waiting for it"))
            #expect(ended.status == 130 && ended.errors.hasSuffix("stopped; the same command goes on from here\n"), "\(ended)")
            withExtendedLifetime(lock) {}
        }
    }

    /// What was stopped goes on to the bytes of a run without a stop, and pictures that cannot be used change no exit status.
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func tokenizingEndsWithTheSignalsStatusAndGoesOn(signal: Int32, status: Int32) throws {
        try withScratchFolder { folder in
            let checkpoint = try TinyCheckpoint()
            try StoredFolder.create(folder + "/pictures")
            for seed in 0..<60 {
                try StoredFile.write(PNGEncoder.encode(TinyCheckpoint.picture(seed: UInt64(seed))), to: folder + "/pictures/\(seed).png", .relaxed)
            }
            try StoredFile.write([1, 2, 3], to: folder + "/pictures/bad.png")
            func arguments(_ output: String) -> [String] {
                [
                    "tokenize", "--images", folder + "/pictures", "--checkpoint", checkpoint.directory, "--output", folder + "/" + output, "--format",
                    "bin", "--per-file", "1000", "--threads", "1",
                ]
            }
            let stopped = try TrainCommand.run(arguments("stopped"), stop: (signal, "images"))
            #expect(stopped.status == status && stopped.errors.hasSuffix("stopped; the same command goes on from here\n"), "\(stopped)")
            #expect(!StoredFile.exists(folder + "/stopped/tokens-00000.bin"))
            for output in ["stopped", "whole"] {
                let ended = try TrainCommand.run(arguments(output))
                #expect(ended.status == 0 && ended.errors.contains("1 of 61 images could not be used"), "\(ended)")
            }
            for name in ["tokens-00000.bin", "index-00000.json", "metadata.json", "skipped-00000.jsonl"] {
                #expect(try StoredFile.read(folder + "/stopped/" + name) == StoredFile.read(folder + "/whole/" + name))
            }
        }
    }
}
