import Glibc
import TestSupport
import Testing

@testable import Files
@testable import Fitting

/// Processes that Open MPI has started; where it is not installed, nothing is tried.
@Suite(.enabled(if: Launcher.path != nil, "needs mpirun"), .serialized)
struct MPITests {
    @Test(arguments: [2, 4])
    func aFitIsToTheByteThatOfOneProcess(ranks: Int) throws {
        try withScratchFolder { folder in
            _ = try TinyTraining.extraction(TinyTraining.place(in: folder), to: folder + "/latents").run { false }
            func fit(_ name: String) -> [String] {
                [
                    "fit", "--latents", folder + "/latents", "--output", "\(folder)/\(name)", "--tokens", "192", "--codes", "4", "--passes", "5",
                    "--rectifier", "linear",
                ]
            }
            let (alone, shared) = (try TrainCommand.run(fit("alone")), try Launcher.run(ranks, fit("shared")))
            #expect(alone.status == 0 && shared.status == 0, "\(alone)\n\(shared)")
            #expect(shared.errors.ranges(of: "done: ").count == 1, "one rank speaks: \(shared.errors)")
            for file in ["quantizer.safetensors", "rectifier.safetensors", "fit.json"] {
                #expect(try StoredFile.read("\(folder)/alone/fit/\(file)") == StoredFile.read("\(folder)/shared/fit/\(file)"))
            }
        }
    }

    @Test func anAutoencoderIsToTheByteThatOfOneProcess() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            func vae(_ name: String) -> [String] { Self.vae(place, "\(folder)/\(name)", steps: 4) }
            let (alone, shared) = (try TrainCommand.run(vae("alone")), try Launcher.run(2, vae("shared")))
            #expect(alone.status == 0 && shared.status == 0, "\(alone)\n\(shared)")
            let weights = "vae/diffusion_pytorch_model.safetensors"
            #expect(try StoredFile.read("\(folder)/alone/\(weights)") == StoredFile.read("\(folder)/shared/\(weights)"))
        }
    }

    /// One line for all ranks, not one of each.
    @Test func whatIsRefusedIsSaidOnce() throws {
        try withScratchFolder { folder in
            let ended = try Launcher.run(3, ["fit", "--latents", folder + "/nowhere", "--output", folder + "/run"])
            #expect(ended.status == 1 && ended.errors.ranges(of: "Error: ").count == 1, "\(ended)")
            #expect(ended.errors.contains("nowhere/latents.json"), "\(ended)")
            #expect(!StoredFolder.exists(folder + "/run"))
            let vae = ["vae", "--images", folder, "--architecture", folder + "/nowhere.json", "--output", folder + "/run"]
            let early = try Launcher.run(3, vae)
            #expect(early.status == 1 && early.errors.ranges(of: "Error: ").count == 1 && early.errors.contains("nowhere.json"), "\(early)")
        }
    }

    /// Whether all were called wrongly or one of them was.
    @Test(arguments: [nil, ["--threads", "1"]] as [[String]?])
    func aWrongCallIsSaidOnce(others: [String]?) throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let right = Self.vae(place, folder + "/run", steps: 2)
            let ended = try Launcher.run(2, right + ["--nowhere"], and: others.map { right + $0 })
            #expect(ended.status == 64 || others != nil && ended.status == 1, "\(ended)")
            #expect(ended.errors.ranges(of: "Error: ").count == 1 && ended.errors.contains("Unknown option '--nowhere'"), "\(ended)")
            #expect(!StoredFolder.exists(folder + "/run"))
        }
    }

    @Test func ranksWithUnequalOptionsAreRefused() throws {
        try withScratchFolder { folder in
            _ = try TinyTraining.extraction(TinyTraining.place(in: folder), to: folder + "/latents").run { false }
            let fit = ["fit", "--latents", folder + "/latents", "--output", folder + "/run", "--tokens", "192", "--codes", "4"]
            let ended = try Launcher.run(1, fit, and: fit + ["--seed", "7"])
            #expect(
                ended.status == 1 && ended.errors.contains("Error: rank 1 of 2 has other options than rank 0: all ranks need the same\n"), "\(ended)")
            #expect(!StoredFolder.exists(folder + "/run"))
        }
    }

    /// The job ends with it, and any number of ranks goes on from what was saved.
    @Test func aRankThatIsKilledEndsTheJobAndLosesNothingThatWasSaved() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let whole = try TrainCommand.run(Self.vae(place, folder + "/whole", steps: 60))
            #expect(whole.status == 0, "\(whole)")
            let killed = try Launcher.run(
                2, Self.vae(place, folder + "/run", steps: 60, more: ["--save-minutes", "0"]), killingRankOneIn: folder + "/run")
            #expect(killed.status != 0 && killed.errors.contains("rank 1"), "\(killed)")
            let resumed = try TrainCommand.run(Self.vae(place, folder + "/run", steps: 60))
            #expect(resumed.status == 0 && resumed.errors.contains("going on at step "), "\(resumed)")
            let weights = "vae/diffusion_pytorch_model.safetensors"
            #expect(try StoredFile.read("\(folder)/whole/\(weights)") == StoredFile.read("\(folder)/run/\(weights)"))
        }
    }

    private static func vae(_ place: TinyTraining.Place, _ output: String, steps: Int, more: [String] = []) -> [String] {
        [
            "vae", "--images", place.pictures, "--output", output, "--architecture", place.vae + "/config.json", "--size", "32", "--crop", "16",
            "--split", "60/15/25", "--split-seed", "3152", "--batch", "4", "--steps", "\(steps)", "--threads", "1",
        ] + more
    }
}

/// `mpirun`.
private enum Launcher {
    static let path: String? = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first { StoredFile.exists($0) }

    /// As any user, on any number of cores, over shared memory and loopback only, and waiting without keeping a core busy.
    private static let options = [
        "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "btl", "self,vader,tcp", "--mca", "pml", "ob1",
        "--mca", "mpi_yield_when_idle", "1",
    ]

    /// - Parameters:
    ///   - arguments: of `revq-train`, for `count` ranks.
    ///   - others: of one rank more, where it has others.
    ///   - folder: of a run of which rank 1 is killed once a state has been saved.
    static func run(
        _ count: Int, _ arguments: [String], and others: [String]? = nil, killingRankOneIn folder: String? = nil
    ) throws -> (status: Int32, output: String, errors: String) {
        let command = try BuiltCommand.train.path
        var words = [path!] + options + ["-np", "\(count)"]
        if let folder {
            let script =
                "if [ \"$OMPI_COMM_WORLD_RANK\" = 1 ]; then ( while [ -z \"$(ls \(folder)/states 2> /dev/null)\" ]; do :; done; kill -9 $$ ) & fi; "
                + "exec \"$@\""
            words += ["/bin/sh", "-c", script, "sh"]
        }
        words += [command] + arguments
        if let others { words += [":", "-np", "1", command] + others }
        return try BuiltCommand.run(words)
    }
}
