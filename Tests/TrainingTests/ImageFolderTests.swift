import TokenizerCore
import Testing

@testable import Training

@Suite struct ImageFolderTests {
    @Test func listsPicturesBelowInByteOrder() throws {
        try withScratchFolder { folder in
            try StoredFolder.create(folder + "/b/deep")
            for name in ["b/deep/x.JPEG", "b/a.png", "c.jpg", "A.png", "notes.txt", ".hidden.png", "png"] {
                try StoredFile.write([0], to: "\(folder)/\(name)")
            }
            #expect(try ImageFolder(folder).names == ["A.png", "b/a.png", "b/deep/x.JPEG", "c.jpg"])
        }
    }

    @Test func signatureFollowsNamesAndSizes() throws {
        try withScratchFolder { folder in
            try StoredFile.write([0], to: folder + "/a.png")
            let before = try ImageFolder(folder).signature
            #expect(try ImageFolder(folder).signature == before)
            try StoredFile.write([0, 0], to: folder + "/a.png")
            #expect(try ImageFolder(folder).signature != before)
        }
    }

    @Test func refusesAnEmptyFolderAndNamesABadFile() throws {
        try withScratchFolder { folder in
            #expect(throws: FileError(path: folder, reason: "\(folder) holds no PNG or JPEG files")) { try ImageFolder(folder) }
            try StoredFile.write([], to: folder + "/a.png")
            let reason = "\(folder)/a.png: the image is empty: expected the bytes of a PNG or JPEG file"
            #expect(throws: FileError(path: folder + "/a.png", reason: reason)) { try ImageFolder(folder).image(at: 0) }
        }
    }

    @Test func cropsAreFixedBySeedAndStep() throws {
        try withScratchFolder { folder in
            let pictures = try AutoencoderRunTests.pictures(in: folder)
            let images = SquareImages(try ImageFolder(pictures), size: 24)
            let sampler = CropSampler(images, range: 0..<6, side: 8, seed: 1)
            let crops = try sampler.crops(count: 5, step: 3)
            #expect(crops.shape == [5, 8, 8, 3])
            #expect(crops.values == (try sampler.crops(count: 5, step: 3).values))
            #expect(crops.values != (try sampler.crops(count: 5, step: 4).values))
            // The same without room to keep a decoded picture.
            let forgetful = SquareImages(try ImageFolder(pictures), size: 24, maximumHeldBytes: 0)
            #expect(crops.values == (try CropSampler(forgetful, range: 0..<6, side: 8, seed: 1).crops(count: 5, step: 3).values))
        }
    }

    @Test func aFolderOfBrokenFilesIsAnError() throws {
        try withScratchFolder { folder in
            try StoredFile.write([1], to: folder + "/a.png")
            let images = SquareImages(try ImageFolder(folder), size: 24)
            #expect(throws: FileError.self) { try CropSampler(images, range: 0..<1, side: 8, seed: 1).crops(count: 1, step: 0) }
            #expect(images.takeComplaints().count == 1)
        }
    }
}
