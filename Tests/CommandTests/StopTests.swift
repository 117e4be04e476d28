import Glibc
import TestSupport
import Testing

@testable import Files

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
                "fit", "--latents", folder + "/latents", "--output", folder + "/run", "--tokens", "192", "--codes", "4", "--held-out", "1",
                "--passes", "1000000",
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
                "--crop",
                "16",
                "--held-out", "1", "--batch", "4", "--steps", "1000000",
            ]
            let ended = try TrainCommand.run(arguments, stop: (SIGINT, "steps"))
            #expect(ended.status == 130 && ended.errors.hasSuffix("stopped; the same command goes on from here\n"), "\(ended)")
            #expect(try StoredFolder.names(in: folder + "/run/states").count == 1)
        }
    }

    /// Both wait for the latents of another process when the signal comes.
    @Test(arguments: [["extract"], ["tolerance", "--held-out", "1"]])
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
}
