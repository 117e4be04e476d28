import Locks
import TestSupport
import Testing

@testable import Files
@testable import Fitting
@testable import Images
@testable import Jobs
@testable import Networks
@testable import Pictures

@Suite struct LatentExtractionTests {
    @Test func latentsAreTheEncodersAndSurviveTheDisk() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            try StoredFile.write([1], to: place.pictures + "/00000002.png")
            var lines: [String] = []
            let console = Console(isTerminal: false) { lines.append($0) }
            #expect(try TinyTraining.extraction(place, to: folder + "/latents", console: console).run(isStopRequested: { false }))
            #expect(lines.last == "1 of 6 images could not be read and left no latents\n")
            let store = try LatentStore(folder + "/latents")
            let latents = try store.load()
            // Picture 2 of 6 is broken: no row.
            #expect(latents.count == 5 && latents.shape == store.latentShape)
            let vae = try Autoencoder(directory: place.vae)
            let third = PixelBatch(images: [ProceduralImages(seed: 4, side: 32).image(at: 3)]).pixels
            #expect(latents.images(at: [2]).map.values == vae.encoder(third).values)
        }
    }

    @Test func aStoppedExtractionGoesOnToTheSameBytes() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            _ = try TinyTraining.extraction(place, to: folder + "/whole").run(isStopRequested: { false })
            #expect(try !TinyTraining.extraction(place, to: folder + "/parts").run(isStopRequested: { true }))
            #expect(throws: FileError.self) { try LatentStore(folder + "/parts") }
            #expect(try TinyTraining.extraction(place, to: folder + "/parts").run(isStopRequested: { false }))
            for file in ["latents.json", "latents-00000.safetensors"] {
                #expect(try StoredFile.read("\(folder)/whole/\(file)") == StoredFile.read("\(folder)/parts/\(file)"))
            }
        }
    }

    @Test func anExtractionKilledAtAnyMomentGoesOnToTheSameBytes() throws {
        try withScratchFolder { folder in
            // Three batches of pictures, and a copy of the folder as it is before each and where it ends.
            let place = (try Self.pictures(20, in: folder), try TinyTraining.vae(in: folder + "/vae", seed: 1))
            var copies: [String] = []
            let copy = {
                copies.append("\(folder)/copy-\(copies.count)")
                try? TinyTraining.copy(folder + "/whole", to: copies.last!)
            }
            _ = try TinyTraining.extraction(place, to: folder + "/whole").run(saveEvery: .zero) {
                copy()
                return false
            }
            #expect(copies.count == 3)
            #expect(try StoredFolder.names(in: copies[2]) == [".lock", "latents-00000-16.safetensors", "latents.json", "originals"])
            // A kill between a file and its entry, and one that cost a file.
            try TinyTraining.copy(copies[1], to: folder + "/orphan")
            try StoredFile.write([1], to: folder + "/orphan/latents-00000-16.safetensors")
            try TinyTraining.copy(copies[2], to: folder + "/lost")
            StoredFolder.remove(folder + "/lost/latents-00000-16.safetensors")
            for killed in copies + [folder + "/orphan", folder + "/lost"] {
                #expect(try TinyTraining.extraction(place, to: killed).run(isStopRequested: { false }))
                #expect(try StoredFolder.names(in: killed) == [".lock", "latents-00000.safetensors", "latents.json", "originals"])
                for file in ["latents.json", "latents-00000.safetensors"] {
                    #expect(try StoredFile.read("\(folder)/whole/\(file)") == StoredFile.read("\(killed)/\(file)"))
                }
            }
        }
    }

    @Test func aChangedFileIsExtractedAgain() throws {
        try withScratchFolder { folder in
            let (place, latents) = (try TinyTraining.place(in: folder), folder + "/latents")
            _ = try TinyTraining.extraction(place, to: latents).run(isStopRequested: { false })
            let shard = latents + "/latents-00000.safetensors"
            let whole = try StoredFile.read(shard)
            try StoredFile.write(Array(whole.dropLast()) + [whole.last! ^ 1], to: shard)
            var lines: [String] = []
            let console = Console(isTerminal: false) { lines.append($0) }
            #expect(try TinyTraining.extraction(place, to: latents, console: console).run(isStopRequested: { false }))
            #expect(lines.first == "\(shard) is not the file that was extracted: 6 images will be extracted again\n")
            #expect(try StoredFile.read(shard) == whole)
        }
    }

    /// Two experiments that share their latents.
    @Test func aSecondExtractionIntoTheSameFolderWaitsForTheFirst() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let latents = folder + "/latents"
            let lock = Lock(try FileLock(file: "\(place.pictures)/.lock", waits: false))
            try StoredFolder.create(latents)
            lock.withLock { lock in lock = try? FileLock(file: latents + "/.lock", waits: false) }
            var lines: [String] = []
            let console = Console(isTerminal: false) { lines.append($0) }
            #expect(try !TinyTraining.extraction(place, to: latents, console: console).run { true })
            #expect(lines == ["another process is extracting into \(latents): waiting for it\n"])
            // The other one ends.
            #expect(
                try TinyTraining.extraction(place, to: latents).run {
                    lock.withLock { $0 = nil }
                    return false
                })
        }
    }

    @Test func aPictureReplacedByOneOfEqualSizeIsNoticed() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let (latents, picture) = (folder + "/latents", place.pictures + "/00000002.png")
            let whole = try StoredFile.read(picture)
            try StoredFile.write([UInt8](repeating: 0, count: whole.count), to: picture)
            _ = try TinyTraining.extraction(place, to: latents).run { false }
            #expect(try LatentStore(latents).load().count == 5)
            try StoredFile.write(whole, to: picture)
            var lines: [String] = []
            let console = Console(isTerminal: false) { lines.append($0) }
            #expect(try !TinyTraining.extraction(place, to: latents, console: console).run { true }, "stopped before the pictures were compared")
            #expect(try LatentStore(latents).load().count == 5)
            #expect(try TinyTraining.extraction(place, to: latents, console: console).run { false })
            let remark = "pictures 1 to 6 are not all those that latents-00000.safetensors was made from: they are extracted again\n"
            #expect(lines.contains(remark))
            _ = try TinyTraining.extraction(place, to: folder + "/fresh").run { false }
            #expect(try LatentStore(latents).load().map.values == LatentStore(folder + "/fresh").load().map.values)
        }
    }

    /// Copied datasets have other inodes and times.
    @Test func aPictureThatWasOnlyMovedIsReadOnceAndKeepsItsLatents() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let (latents, picture) = (folder + "/latents", place.pictures + "/00000002.png")
            _ = try TinyTraining.extraction(place, to: latents).run { false }
            let before = try LatentStore(latents).manifest.shards
            try StoredFile.write(StoredFile.read(picture), to: picture)
            for comparisons in [1, 0] {
                var lines: [String] = []
                let console = Console(isTerminal: false) { lines.append($0) }
                #expect(try TinyTraining.extraction(place, to: latents, console: console).run { false })
                #expect(lines.count { $0.contains("comparisons") } == comparisons && !lines.contains { $0.contains("again") })
            }
            let after = try LatentStore(latents).manifest.shards
            #expect(after[0].digest == before[0].digest && after[0].pictures.sha256 == before[0].pictures.sha256)
            #expect(after[0].pictures.stamp != before[0].pictures.stamp)
        }
    }

    @Test func refusesAManifestOfImpossibleNumbers() throws {
        try withScratchFolder { folder in
            let latents = folder + "/latents"
            _ = try TinyTraining.extraction(try TinyTraining.place(in: folder), to: latents).run { false }
            let path = latents + "/latents.json"
            let whole = String(decoding: try StoredFile.read(path), as: UTF8.self)
            for (old, new) in [
                ("\"firstImage\" : 0", "\"firstImage\" : -1"), ("\"imageCount\" : 6", "\"imageCount\" : 9223372036854775807"),
                ("\"rows\" : 6", "\"rows\" : 7"),
                ("\"imageSize\" : 32", "\"imageSize\" : 0"),
                ("\"channels\" : 48", "\"channels\" : 4611686018427387904"), ("\"name\" : \"latents-", "\"name\" : \"../latents-"),
            ] {
                #expect(whole.contains(old))
                try StoredFile.write(Array(whole.replacing(old, with: new).utf8), to: path)
                #expect(throws: FileError(path: path, reason: "\(path) is damaged: its numbers are impossible")) { try LatentStore(latents) }
            }
            // Numbers that might be, of a file that is not there: no memory is taken for them.
            try StoredFile.write(Array(whole.utf8), to: path)
            var old = try LatentStore.Manifest(of: latents)
            old.shards[0].images = nil
            let many = String(decoding: JSONFile.bytes(old), as: UTF8.self).replacing("\"imageCount\" : 6", with: "\"imageCount\" : 1073741824")
                .replacing(
                    "\"rows\" : 6", with: "\"rows\" : 1073741824")
            try StoredFile.write(Array(many.replacing("\"bytes\" : 73856", with: "\"bytes\" : 4611686018427387904").utf8), to: path)
            let shard = latents + "/latents-00000.safetensors"
            #expect(throws: FileError(path: shard, reason: "\(shard) is not the file that was extracted: its size or SHA-256 differs")) {
                try LatentStore(latents).load()
            }
            try StoredFile.write(Array(whole.replacing("\"formatVersion\" : 2", with: "\"formatVersion\" : 1").utf8), to: path)
            #expect(throws: FileError(path: path, reason: "\(path) has format 1, not 2: extract into a new folder")) { try LatentStore(latents) }
        }
    }

    @Test func halfPrecisionRoundsAndNothingElse() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            _ = try TinyTraining.extraction(place, to: folder + "/whole").run(isStopRequested: { false })
            _ = try TinyTraining.extraction(place, to: folder + "/half", precision: .float16).run(isStopRequested: { false })
            let (whole, half) = (try LatentStore(folder + "/whole").load(), try LatentStore(folder + "/half").load())
            #expect(half.map.values == whole.map.values.map { Float(Float16($0)) })
            let reason = "\(folder)/half holds latents of precision F16, not F32: choose a new folder"
            #expect(throws: FileError(path: folder + "/half", reason: reason)) { try TinyTraining.extraction(place, to: folder + "/half").run() }
        }
    }

    @Test func fewAndUselessImages() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            _ = try TinyTraining.extraction((place.pictures + "/00000000.png", place.vae), to: folder + "/one").run(isStopRequested: { false })
            #expect(try LatentStore(folder + "/one").load().count == 1)
            try StoredFile.write([1, 2, 3], to: folder + "/bad.png")
            _ = try TinyTraining.extraction((folder + "/bad.png", place.vae), to: folder + "/none").run(isStopRequested: { false })
            let reason = "\(folder)/none holds no latents: none of its images could be read"
            #expect(throws: FileError(path: folder + "/none", reason: reason)) { try LatentStore(folder + "/none").load() }
            let empty = folder + "/empty"
            try StoredFolder.create(empty)
            #expect(throws: FileError(path: empty, reason: "\(empty) holds no PNG or JPEG files")) {
                try TinyTraining.extraction((empty, place.vae), to: folder + "/nothing")
            }
        }
    }

    @Test func aFullDiskCostsNothing() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let latents = folder + "/latents"
            let arguments = ["extract", "--images", place.pictures, "--vae", place.vae, "--output", latents, "--size", "32"]
            // No file beyond 32 KiB: that is where the disk ends for this process.
            let full = try TrainCommand.run(arguments, maximumFileBytes: 32 << 10)
            #expect(full.status == 1)
            #expect(full.errors.hasSuffix("Error: cannot write \(latents)/latents-00000.safetensors: File too large\n"))
            #expect(try StoredFolder.names(in: latents) == [".lock", "originals"])
            #expect(try TrainCommand.run(arguments).status == 0)
            _ = try TinyTraining.extraction(place, to: folder + "/whole").run(isStopRequested: { false })
            #expect(try LatentStore(latents).load().map.values == LatentStore(folder + "/whole").load().map.values)
        }
    }

    @Test func refusesLatentsOfAnotherAutoencoderAndChangedFiles() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let latents = folder + "/latents"
            _ = try TinyTraining.extraction(place, to: latents).run(isStopRequested: { false })
            let other = try TinyTraining.vae(in: folder + "/other", seed: 2)
            #expect(throws: FileError(path: latents, reason: "\(latents) holds latents of another autoencoder: choose a new folder")) {
                try TinyTraining.extraction((place.pictures, other), to: latents).run(isStopRequested: { false })
            }
            let shard = latents + "/latents-00000.safetensors"
            var bytes = try StoredFile.read(shard)
            bytes[bytes.count - 1] ^= 1
            try StoredFile.write(bytes, to: shard)
            let reason = "\(shard) is not the file that was extracted: its size or SHA-256 differs"
            #expect(throws: FileError(path: shard, reason: reason)) { try LatentStore(latents).load() }
        }
    }

    @Test func refusesASizeTheAutoencoderCannotTake() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            #expect(throws: FileError.self) {
                try LatentExtraction(
                    to: folder + "/latents", images: place.pictures, vae: place.vae, size: 30, precision: .float32, console: .silent)
            }
        }
    }

    private static func pictures(_ count: Int, in folder: String) throws -> String {
        _ = try Synthesis(directory: folder + "/pictures", count: count, size: 32, seed: 4).run(.silent)
        return folder + "/pictures"
    }
}
