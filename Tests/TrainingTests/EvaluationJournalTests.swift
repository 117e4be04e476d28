import Testing
import TokenizerCore

@testable import Training

@Suite struct EvaluationJournalTests {
    @Test func aStoppedEvaluationGoesOnToTheSameFigures() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            let whole = try Self.evaluated(place, in: folder + "/whole", stopAfter: .max)
            #expect(whole.entries.count == 5)
            let journal = folder + "/parts/measured.jsonl"
            for count in [2, 3] {
                #expect(try Self.evaluated(place, in: folder + "/parts", stopAfter: 2).entries.count == count)
                // A kill in the middle of a line costs that line.
                try StoredFile.write(StoredFile.read(journal) + Array("{\"measurement\":".utf8), to: journal)
            }
            let parts = try Self.evaluated(place, in: folder + "/parts", stopAfter: .max)
            let records = [whole, parts].map { JSONFile.bytes(EvaluationRecord($0, facts: [])) }
            #expect(records[0] == records[1])
            #expect(whole.referenceHash == parts.referenceHash && whole.baselinePictures == parts.baselinePictures)
        }
    }

    /// Its lowest coefficients are the picture itself, and JSON has no infinite PSNR.
    @Test func aPictureOfOneColourHasAFigure() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            let grey = RGBImage(width: 32, height: 32, pixels: [UInt8](repeating: 128, count: 32 * 32 * 3))
            try StoredFile.write(PNGEncoder.encode(grey), to: place.pictures + "/00000000.png")
            let evaluation = try Self.evaluated(place, in: folder + "/output", stopAfter: .max)
            #expect(evaluation.entries[0].dctPSNR == PictureDifference.perfectPSNR)
            #expect(!JSONFile.bytes(EvaluationRecord(evaluation, facts: [])).isEmpty)
        }
    }

    @Test func measurementsOfSomethingElseAreNotMixedIn() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            _ = try Self.evaluated(place, in: folder + "/output", stopAfter: 3)
            let picture = place.pictures + "/00000000.png"
            try StoredFile.write(StoredFile.read(place.pictures + "/00000004.png"), to: picture)
            let again = try Self.evaluated(place, in: folder + "/output", stopAfter: 1)
            #expect(again.entries.map(\.name) == ["00000000.png"])
            #expect(try again.entries[0].tokens == Self.evaluated(place, in: folder + "/fresh", stopAfter: .max).entries[3].tokens)
        }
    }

    @Test func damagedMeasurementsAndASecondWriterAreRefused() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            let output = folder + "/output"
            _ = try Self.evaluated(place, in: output, stopAfter: 3)
            let path = output + "/measured.jsonl"
            let whole = String(decoding: try StoredFile.read(path), as: UTF8.self)
            for (old, new) in [("\"index\":1", "\"index\":7"), ("\"codes\":[", "\"codes\":[-1,"), ("\"features\":[]", "\"features\":[0]")] {
                #expect(whole.contains(old))
                try StoredFile.write(Array(whole.replacing(old, with: new).utf8), to: path)
                #expect(throws: FileError(path: path, reason: "\(path) is damaged: remove it to begin anew")) {
                    try Self.evaluated(place, in: output, stopAfter: .max)
                }
            }
            let lock = try FileLock(file: output + "/.lock", waits: false)
            #expect(throws: FileError(path: output, reason: "\(output) is in use by another evaluation")) {
                try Self.evaluated(place, in: output, stopAfter: .max)
            }
            withExtendedLifetime(lock) {}
        }
    }

    private typealias Place = (checkpoint: Checkpoint, pictures: String)

    /// A checkpoint and six pictures, of which the third cannot be read.
    private static func place(in folder: String) throws -> Place {
        let published = TrainingFixture.path("published")
        try AutoencoderImport(published + "/vae").publish(to: folder + "/vae", precision: .float32)
        try PublishedQuantizer(checkpoint: published + "/ckpt.pth", preprocessor: published + "/preprocessor.pth", vae: folder + "/vae")
            .publish(to: folder + "/fit")
        let pictures = try AutoencoderRunTests.pictures(in: folder)
        try StoredFile.write([1], to: pictures + "/00000002.png")
        let path = try Publication(vae: folder + "/vae", fit: folder + "/fit", images: pictures, heldOut: 1)
            .publish(as: "tiny", under: folder + "/checkpoints", console: .silent)
        return (try Checkpoint(path), pictures)
    }

    /// - Parameter count: images of this call.
    private static func evaluated(_ place: Place, in directory: String, stopAfter count: Int) throws -> Evaluation {
        let manifest = place.checkpoint.manifest
        let images = SquareImages(try ImageSource(place.pictures), size: manifest.imageSize)
        let journal = try EvaluationJournal(in: directory, of: .init(manifest, images.source, weights: []))
        var evaluation = Evaluation(place.checkpoint)
        var asked = 0
        let isComplete = try evaluation.measure(images, 0..<images.count, .silent, journal: journal) {
            asked += 1
            return asked > count
        }
        if isComplete { journal.remove() }
        return evaluation
    }
}
