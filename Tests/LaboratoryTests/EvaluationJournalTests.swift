import TestSupport
import Testing

@testable import Files
@testable import Fitting
@testable import Images
@testable import Jobs
@testable import Laboratory
@testable import Pictures
@testable import TokenizerCore

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
            let output = folder + "/output"
            for isFinished in [false, true] {
                _ = try Self.evaluated(place, in: output, stopAfter: isFinished ? .max : 3)
                if isFinished { try StoredFile.write([1], to: output + "/results.json") }
                let names = try StoredFolder.names(in: output)
                let whole = try StoredFile.read(place.pictures + "/00000000.png")
                try StoredFile.write(whole + [0], to: place.pictures + "/00000000.png")
                let error = #expect(throws: FileError.self) { try Self.evaluated(place, in: output, stopAfter: 1) }
                #expect(error?.reason.hasPrefix("\(output) was begun with imagesSignature = ") == true)
                #expect(try StoredFolder.names(in: output) == names)
                StoredFolder.remove(output)
            }
        }
    }

    /// Figures of others have the same names.
    @Test(arguments: ["results.json", "fit", "holiday.jpg"])
    func aFolderOfSomethingElseIsRefused(_ name: String) throws {
        try withScratchFolder { folder in
            let (place, output) = (try Self.place(in: folder), folder + "/output")
            try StoredFolder.create(output)
            try StoredFile.write([1], to: "\(output)/\(name)")
            let reason = "\(output) is not empty and is not a run's folder: choose a new one"
            #expect(throws: FileError(path: output, reason: reason)) { try Self.evaluated(place, in: output, stopAfter: .max) }
            try StoredFile.write(Array("{\"command\": \"tolerance\"}".utf8), to: output + "/config.json")
            let other = "\(output) was begun with command = tolerance, not evaluate: use the same options, or a new folder"
            #expect(throws: FileError(path: output, reason: other)) { try Self.evaluated(place, in: output, stopAfter: .max) }
            #expect(try StoredFile.read("\(output)/\(name)") == [1])
        }
    }

    @Test func aFinishedEvaluationMayBeDoneAgain() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            let twice = try (0..<2).map { _ in
                let evaluation = try Self.evaluated(place, in: folder + "/output", stopAfter: .max)
                try StoredFile.write(JSONFile.bytes(EvaluationRecord(evaluation, facts: [])), to: folder + "/output/results.json")
                return try StoredFile.read(folder + "/output/results.json")
            }
            #expect(twice[0] == twice[1])
        }
    }

    @Test func damagedMeasurementsAndASecondWriterAreRefused() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            let output = folder + "/output"
            _ = try Self.evaluated(place, in: output, stopAfter: 3)
            let path = output + "/measured.jsonl"
            let whole = String(decoding: try StoredFile.read(path), as: UTF8.self)
            let damages = [
                ("\"index\":1", "\"index\":7"), ("\"codes\":[", "\"codes\":[-1,"), ("\"classified\":{\"drawn\":[]", "\"classified\":{\"drawn\":[0]"),
                ("\"inception\":{\"drawn\":[]", "\"inception\":{\"drawn\":[0]"),
            ]
            for (old, new) in damages {
                #expect(whole.contains(old))
                try StoredFile.write(Array(whole.replacing(old, with: new).utf8), to: path)
                #expect(throws: FileError(path: path, reason: "\(path) is damaged: remove it to begin anew")) {
                    try Self.evaluated(place, in: output, stopAfter: .max)
                }
            }
            let lock = try FileLock(file: output + "/.lock", waits: false)
            #expect(throws: FileError(path: output, reason: "\(output) is in use by another process")) {
                try Self.evaluated(place, in: output, stopAfter: .max)
            }
            withExtendedLifetime(lock) {}
        }
    }

    private typealias Place = (checkpoint: Checkpoint, pictures: String)

    /// A checkpoint and six pictures, of which the third cannot be read.
    private static func place(in folder: String) throws -> Place {
        let published = Fixture.path("published")
        try AutoencoderImport(published + "/vae").publish(to: folder + "/vae", precision: .float32)
        try PublishedQuantizer(checkpoint: published + "/ckpt.pth", preprocessor: published + "/preprocessor.pth", vae: folder + "/vae")
            .publish(to: folder + "/fit")
        let pictures = try TinyTraining.pictures(in: folder)
        try StoredFile.write([1], to: pictures + "/00000002.png")
        let path = try Publication(vae: folder + "/vae", fit: folder + "/fit", images: pictures, most: 1)
            .publish(as: "tiny", under: folder + "/checkpoints", console: .silent)
        return (try Checkpoint(path), pictures)
    }

    /// - Parameter count: images of this call.
    private static func evaluated(_ place: Place, in directory: String, stopAfter count: Int) throws -> Evaluation {
        let manifest = place.checkpoint.manifest
        let images = SquareImages(try ImageSource(place.pictures), size: manifest.specification.imageSize)
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
