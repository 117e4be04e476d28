import TestSupport
import Testing

@testable import Files
@testable import Fitting
@testable import Images
@testable import Jobs
@testable import Networks
@testable import Pictures
@testable import TokenizerCore

/// What `latents.json` says about each picture, and what is kept beside it.
@Suite struct LatentIndexTests {
    @Test func picturesAreNamedAndHeldOutOnesKept() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            try StoredFile.write([1, 2, 3], to: place.pictures + "/00000001.png")
            _ = try TinyTraining.extraction(place, to: folder + "/latents").run { false }
            let store = try LatentStore(folder + "/latents")
            let images = store.manifest.images
            #expect(images.map(\.name) == (0..<6).map { "0000000\($0).png" } && images.map(\.rows) == [1, 0, 1, 1, 1, 1])
            #expect(images[1].key == PictureKey(FileDigest(contents: [1, 2, 3])))
            let parts = try store.parts()
            #expect(parts[.choosing] == [0] && parts[.reporting] == [1, 4] && parts[.training] == [2, 3], "rows of pictures that could be read")
            let originals = store.originals(parts, .reporting)
            #expect(originals.map(\.place) == [0, 1])
            #expect(originals.map(\.picture) == [2, 5].map { ProceduralImages(seed: 4, side: 32).image(at: $0) })
            #expect(try StoredFolder.names(in: folder + "/latents/originals").count == 3, "nothing of what is learned from")
            let (all, ordered) = (try store.load(), try store.load(parts))
            #expect(ordered.map.values == all.images(at: [2, 3, 0, 1, 4]).map.values)
        }
    }

    /// A rank that holds none of a file's latents does not read it.
    @Test func someLatentsAreReadWithoutTheFilesOfOthers() throws {
        try withScratchFolder { folder in
            let latents = folder + "/latents"
            _ = try TinyTraining.extraction(TinyTraining.place(in: folder), to: latents).run { false }
            let store = try LatentStore(latents)
            #expect(try store.load(rows: [4, 1]).map.values == store.load().images(at: [4, 1]).map.values)
            var bytes = try StoredFile.read(latents + "/latents-00000.safetensors")
            bytes[bytes.count - 1] ^= 1
            try StoredFile.write(bytes, to: latents + "/latents-00000.safetensors")
            #expect(try store.load(rows: []).count == 0)
            #expect(throws: FileError.self) { try store.load(rows: [0]) }
        }
    }

    /// Finding 1: parts by name were neighbours of each other.
    @Test func aPicturesPartIsItsContentsAndNotItsName() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            _ = try TinyTraining.extraction(place, to: folder + "/latents").run { false }
            for index in 0..<6 {
                try StoredFile.write(StoredFile.read("\(place.pictures)/0000000\(index).png"), to: "\(folder)/renamed-\(5 - index).png")
            }
            try StoredFolder.create(folder + "/renamed")
            for index in 0..<6 {
                try StoredFile.write(StoredFile.read("\(folder)/renamed-\(index).png"), to: "\(folder)/renamed/\(index).png")
            }
            // A copy is no other picture.
            try StoredFile.write(StoredFile.read("\(folder)/renamed/0.png"), to: "\(folder)/renamed/copy.png")
            _ = try TinyTraining.extraction((folder + "/renamed", place.vae), to: folder + "/others").run { false }
            let (first, second) = (try LatentStore(folder + "/latents").parts(), try LatentStore(folder + "/others").parts())
            #expect(first.pictures == second.pictures && first.pictures?.reporting.count == 2)
            #expect(second[.reporting] == [0, 3, 6])
        }
    }

    @Test func latentsOfAnEarlierVersionAreReadWithAWarningAndCompletedByExtractingAgain() throws {
        try withScratchFolder { folder in
            let (place, latents) = (try TinyTraining.place(in: folder), folder + "/latents")
            try StoredFile.write([1, 2, 3], to: place.pictures + "/00000001.png")
            _ = try TinyTraining.extraction(place, to: latents).run { false }
            let whole = try StoredFile.read(latents + "/latents.json")
            var old = try LatentStore.Manifest(of: latents)
            (old.shards[0].images, old.split) = (nil, nil)
            try old.write(to: latents)
            StoredFolder.remove(latents + "/originals")
            let store = try LatentStore(latents)
            #expect(store.ageWarning?.contains("call extract again") == true && LatentParts(store.manifest).pictures == nil)
            #expect(LatentParts(store.manifest).summary.hasPrefix("split 80/10/10: "), "latents are dealt all the same")
            let shard = try StoredFile.read(latents + "/latents-00000.safetensors")
            #expect(try TinyTraining.extraction(place, to: latents).run { false })
            #expect(try StoredFile.read(latents + "/latents.json") == whole)
            #expect(try StoredFile.read(latents + "/latents-00000.safetensors") == shard)
            #expect(try StoredFolder.names(in: latents + "/originals").count == 3 && LatentStore(latents).ageWarning == nil)
        }
    }

    @Test func anotherSplitKeepsTheLatents() throws {
        try withScratchFolder { folder in
            let (place, latents) = (try TinyTraining.place(in: folder), folder + "/latents")
            _ = try TinyTraining.extraction(place, to: latents).run { false }
            let (shard, identity) = (try StoredFile.read(latents + "/latents-00000.safetensors"), try LatentStore(latents).identity)
            let other = try #require(Split(shares: "40/30/30", seed: 1))
            var lines: [String] = []
            let console = Console(isTerminal: false) { lines.append($0) }
            #expect(try TinyTraining.extraction(place, to: latents, split: other, console: console).run { false })
            let store = try LatentStore(latents)
            #expect(lines.contains("split 40/30/30, seed 1: \(PictureParts(other, of: store.manifest.images.compactMap(\.key)).summary)\n"))
            #expect(store.manifest.split == other && store.identity != identity)
            #expect(try StoredFile.read(latents + "/latents-00000.safetensors") == shard)
            let kept = try StoredFolder.names(in: latents + "/originals").map { String($0.prefix(16)) }
            #expect(kept == store.manifest.images.compactMap(\.key).filter { other.part(of: $0) != .training }.map(\.digits).sorted())
            #expect(try TinyTraining.extraction(place, to: latents, split: nil).run { false })
            #expect(try LatentStore(latents).manifest.split == other, "what nobody asked to change stays")
        }
    }

    /// Finding 10.
    @Test func squaresOfAPictureAreFixedByItsContentsAndStayTogether() throws {
        try withScratchFolder { folder in
            let pictures = folder + "/pictures"
            _ = try Synthesis(directory: pictures, count: 8, size: 80, seed: 4).run(.silent)
            let place = (pictures, try TinyTraining.vae(in: folder + "/vae", seed: 1))
            let plan = CropPlan(crops: 2, scales: [1, 1.5, 2])
            _ = try TinyTraining.extraction(place, to: folder + "/latents", crops: plan).run { false }
            let store = try LatentStore(folder + "/latents")
            #expect(store.rows == 48 && store.manifest.images.allSatisfy { $0.rows == 6 })
            let parts = LatentParts(store.manifest)
            for part in Split.Part.allCases {
                #expect(Set(parts.sources(part)).count * 6 == parts[part].count, "all squares of a picture are in one part")
            }
            _ = try TinyTraining.extraction(place, to: folder + "/again", crops: plan).run { false }
            #expect(try LatentStore(folder + "/again").load().map.values == store.load().map.values)
            let reason = "\(folder)/latents holds latents of other squares of the images: --crops and --scales differ: choose a new folder"
            #expect(throws: FileError(path: folder + "/latents", reason: reason)) {
                try TinyTraining.extraction(place, to: folder + "/latents").run { false }
            }
            for (wrong, problem) in [
                (CropPlan(crops: 0, scales: [1]), "--crops is in 1...256, not 0"),
                (CropPlan(crops: 1, scales: [0.5]), "--scales are in 1...64, not 0.5"),
                (CropPlan(crops: 1, scales: [2, 2]), "--scales names each scale once, and one at least"),
                (CropPlan(crops: 200, scales: [1, 2]), "--crops 200 at 2 scales are 400 squares of a picture: at most 256"),
            ] {
                #expect(throws: FileError(path: pictures, reason: problem)) { try TinyTraining.extraction(place, to: folder + "/none", crops: wrong) }
            }
        }
    }

    @Test func squaresLieInsideThePictureAndAreNotEnlarged() {
        let picture = RGBImage(width: 60, height: 40, pixels: (0..<60 * 40 * 3).map { UInt8(truncatingIfNeeded: $0 / 3 % 60) })
        let key = PictureKey(standingFor: "a picture")
        let squares = CropPlan(crops: 8, scales: [1, 1.25, 8]).squares(of: picture, key, size: 32)
        #expect(squares.count == 24 && squares.allSatisfy { $0.width == 32 && $0.height == 32 })
        #expect(Set(squares.map { $0.pixels[0] }).count > 8, "in many places")
        for square in squares.suffix(16) {
            #expect(
                (0..<31).allSatisfy { square.pixels[3 * $0 + 3] == square.pixels[3 * $0] + 1 }, "scale 1.25 is the picture's own, and 8 is held to it"
            )
        }
        #expect(CropPlan.centre.squares(of: picture, key, size: 32) == [SquarePreprocessor(imageSize: 32)(picture)])
    }

    /// Finding 11.
    @Test func labelsAreJoinedByNameOrFolder() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let list = folder + "/labels.tsv"
            try StoredFile.write(Array("# classes\n00000000.png\ta cat\r\n00000003.png,dog\n\n".utf8), to: list)
            func extraction(_ labels: String?, folders: Bool = false) throws -> LatentExtraction {
                try LatentExtraction(
                    to: folder + "/latents", images: place.pictures, vae: place.vae, size: 32, precision: .float32, labels: labels,
                    hasFolderLabels: folders, console: .silent)
            }
            _ = try extraction(list).run { false }
            #expect(try LatentStore(folder + "/latents").manifest.images.map(\.label) == ["a cat", nil, nil, "dog", nil, nil])
            let identity = try LatentStore(folder + "/latents").identity
            for index in 0..<6 {
                try StoredFolder.create("\(folder)/\(index % 2 == 0 ? "even" : "odd")")
                try StoredFile.write(
                    StoredFile.read("\(place.pictures)/0000000\(index).png"), to: "\(folder)/\(index % 2 == 0 ? "even" : "odd")/\(index).png")
            }
            try StoredFile.write(Array("even\nodd\n".utf8), to: folder + "/list")
            _ = try LatentExtraction(
                to: folder + "/classes", images: folder + "/list", vae: place.vae, size: 32, precision: .float32, hasFolderLabels: true,
                console: .silent
            ).run { false }
            #expect(try LatentStore(folder + "/classes").manifest.images.map(\.label) == ["even", "even", "even", "odd", "odd", "odd"])
            _ = try extraction(nil).run { false }
            #expect(
                try LatentStore(folder + "/latents").manifest.images.allSatisfy { $0.label == nil }
                    && LatentStore(folder + "/latents").identity == identity)
            for (text, problem) in [
                ("a.png\tx\nb.png\ty\n00000000.png\tz\n", " has labels without pictures in \(place.pictures): a.png, b.png"),
                ("00000000.png\tx\n00000000.png\ty\n", ", line 2: 00000000.png has another label further up"),
                ("00000000.png\n", ", line 1: expected a picture's name, a tab or comma, and its label, not 00000000.png"),
            ] {
                try StoredFile.write(Array(text.utf8), to: list)
                #expect(throws: FileError(path: list, reason: list + problem)) { try extraction(list) }
            }
        }
    }

    /// Finding 8: also those that are called something else.
    @Test func formatsThatAreNotReadAreCountedAtTheEnd() throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            try StoredFile.write([1], to: place.pictures + "/a.webp")
            try StoredFile.write([1], to: place.pictures + "/a.TIF")
            try StoredFile.write(Array("RIFF\0\0\0\0WEBPVP8 ".utf8), to: place.pictures + "/b.jpg")
            try StoredFile.write(Array("\0\0\0\u{18}ftypheic".utf8), to: place.pictures + "/c.jpg")
            var lines: [String] = []
            let console = Console(isTerminal: false) { lines.append($0) }
            #expect(try TinyTraining.extraction(place, to: folder + "/latents", console: console).run { false })
            #expect(
                lines.suffix(2) == [
                    "not read: 1 HEIC, 1 TIFF, 2 WebP: convert them to PNG or JPEG\n", "2 of 8 images could not be read and left no latents\n",
                ])
        }
    }
}
