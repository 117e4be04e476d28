import TokenizerCore
import Testing

@testable import Training

@Suite struct LatentExtractionTests {
    @Test func latentsAreTheEncodersAndSurviveTheDisk() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            try StoredFile.write([1], to: place.pictures + "/00000002.png")
            #expect(try Self.extraction(place, to: folder + "/latents").run(isStopRequested: { false }))
            let store = try LatentStore(folder + "/latents")
            let latents = try store.load()
            // Picture 2 of 6 is broken: no row.
            #expect(latents.shape == [5, store.latentShape.count])
            let vae = try AutoencoderDC(directory: place.vae)
            let third = PixelBatch(images: [ProceduralImages(seed: 4, side: 32).image(at: 3)]).pixels
            #expect(latents.rows([2]).values == store.latentShape.flattened(vae.encoder(third)).values)
        }
    }

    @Test func aStoppedExtractionGoesOnToTheSameBytes() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            _ = try Self.extraction(place, to: folder + "/whole").run(isStopRequested: { false })
            #expect(try !Self.extraction(place, to: folder + "/parts").run(isStopRequested: { true }))
            #expect(throws: FileError.self) { try LatentStore(folder + "/parts") }
            #expect(try Self.extraction(place, to: folder + "/parts").run(isStopRequested: { false }))
            for file in ["latents.json", "latents-00000.safetensors"] {
                #expect(try StoredFile.read("\(folder)/whole/\(file)") == StoredFile.read("\(folder)/parts/\(file)"))
            }
        }
    }

    @Test func refusesLatentsOfAnotherAutoencoderAndChangedFiles() throws {
        try withScratchFolder { folder in
            let place = try Self.place(in: folder)
            let latents = folder + "/latents"
            _ = try Self.extraction(place, to: latents).run(isStopRequested: { false })
            let other = try Self.vae(in: folder + "/other", seed: 2)
            #expect(throws: FileError(path: latents, reason: "\(latents) holds latents of another autoencoder: choose a new folder")) {
                try Self.extraction((place.pictures, other), to: latents).run(isStopRequested: { false })
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
            let place = try Self.place(in: folder)
            #expect(throws: FileError.self) {
                try LatentExtraction(
                    to: folder + "/latents", images: place.pictures, vae: place.vae, size: 30, precision: .float32, console: .silent)
            }
        }
    }

    typealias Place = (pictures: String, vae: String)

    /// Six pictures of 32 × 32 and a random autoencoder.
    static func place(in folder: String) throws -> Place {
        (try AutoencoderRunTests.pictures(in: folder), try vae(in: folder + "/vae", seed: 1))
    }

    static func extraction(_ place: Place, to directory: String) throws -> LatentExtraction {
        try LatentExtraction(
            to: directory, images: place.pictures, vae: place.vae, size: 32, precision: .float32, console: .silent)
    }

    private static func vae(in directory: String, seed: UInt64) throws -> String {
        let model = AutoencoderDC(try AutoencoderRunTests.architecture(), .random(seed: seed))
        try StoredFolder.create(directory)
        try StoredFile.write(JSONFile.bytes(model.configuration), to: "\(directory)/\(AutoencoderDC.configurationName)")
        try model.save(to: "\(directory)/\(AutoencoderDC.weightsName)")
        return directory
    }
}
