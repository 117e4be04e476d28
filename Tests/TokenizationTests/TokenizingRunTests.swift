import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Images
@testable import Tokenization
@testable import TokenizerCore

/// However a folder of tokens came to be, it holds the same bytes.
@Suite struct TokenizingRunTests {
    private let scene: TokenScene

    init() throws {
        scene = try TokenScene()
    }

    /// What one run without a stop makes of the pictures as they are.
    private func whole(_ format: TokenFormat, _ name: String = "whole") throws -> [String: [UInt8]] {
        #expect(try scene.run(format, to: name).run { false })
        return try TokenScene.contents(scene.place(name))
    }

    @Test(arguments: TokenFormat.allCases)
    func aRunThatIsStoppedAgainAndAgainEndsInTheSameBytes(format: TokenFormat) throws {
        let expected = try whole(format)
        var calls = 1
        while true {
            // One question for each part, and one for each picture: every call comes a picture further.
            let countdown = Countdown(3 + calls)
            if try scene.run(format).run(isStopRequested: { countdown.isOver }) { break }
            calls += 1
            try #require(calls < 100)
        }
        #expect(calls > 1)
        #expect(try TokenScene.contents(scene.place("tokens")) == expected)
        #expect(try StoredFolder.names(in: scene.place("tokens")).allSatisfy { !$0.hasPrefix(".journal") })
    }

    @Test(arguments: TokenFormat.allCases, [1, 2, 4])
    func sharesAreTogetherTheWhole(format: TokenFormat, jobs: Int) throws {
        let expected = try whole(format)
        for job in (0..<jobs).reversed() { #expect(try scene.run(format, shard: "\(job)/\(jobs)").run { false }) }
        #expect(try TokenScene.contents(scene.place("tokens")) == expected)
    }

    @Test(arguments: [1, 2, 5])
    func tokensDoNotDependOnThreads(threads: Int) throws {
        let expected = try whole(.bin)
        #expect(try ComputeContext.with(\.threads, threads) { try scene.run(.bin).run { false } })
        #expect(try TokenScene.contents(scene.place("tokens")) == expected)
    }

    /// What was computed is taken over when another number of jobs goes on, and a record that was cut off is not.
    @Test func anotherNumberOfJobsGoesOnWithTheJournal() throws {
        let expected = try whole(.webdataset)
        let countdown = Countdown(4)
        #expect(try !scene.run(shard: "1/2").run(isStopRequested: { countdown.isOver }))
        let names = try StoredFolder.names(in: scene.place("tokens")).filter { $0.hasPrefix(".journal") }
        let path = scene.place("tokens/") + (try #require(names.first))
        let bytes = try StoredFile.read(path)
        try StoredFile.write(Array(bytes.dropLast(5)), to: path)
        #expect(try scene.run().run { false })
        #expect(try TokenScene.contents(scene.place("tokens")) == expected)
        #expect(try StoredFolder.names(in: scene.place("tokens")).allSatisfy { !$0.hasPrefix(".journal") })
    }

    @Test(arguments: TokenFormat.allCases)
    func aPictureThatWasChangedUnderAFinishedPartIsComputedAgain(format: TokenFormat) throws {
        _ = try whole(format, "tokens")
        let path = "\(scene.pictures)/cat/b.png"
        // Of the same size, so that only its contents tell.
        let bytes = try StoredFile.read(path)
        try scene.put(TinyCheckpoint.picture(seed: 40), as: "cat/b.png")
        let padding = [UInt8](repeating: 0, count: max(0, bytes.count - (try StoredFile.read(path).count)))
        try StoredFile.write(try StoredFile.read(path) + padding, to: path)
        let transcript = Transcript()
        #expect(try scene.run(format, console: transcript.console).run { false })
        #expect(try TokenScene.contents(scene.place("tokens")) == (try whole(format)))
        #expect(transcript.text.contains("part 0") || padding.isEmpty && transcript.text.contains("begun with"))
    }

    @Test(arguments: TokenFormat.allCases)
    func picturesThatComeAndGoMoveTheOthers(format: TokenFormat) throws {
        _ = try whole(format, "tokens")
        StoredFolder.remove("\(scene.pictures)/cat/a.png")
        StoredFolder.remove("\(scene.pictures)/dog/z.png")
        StoredFolder.remove("\(scene.pictures)/dog/e.png")
        try scene.put(TinyCheckpoint.picture(seed: 50), as: "ape/a.png")
        let transcript = Transcript()
        #expect(try scene.run(format, console: transcript.console).run { false })
        #expect(transcript.text.contains("the pictures are not those that \(scene.place("tokens")) was begun with"))
        #expect(try TokenScene.contents(scene.place("tokens")) == (try whole(format)))
    }

    /// Pictures that were known need no computing: their tokens come out of the files, whose numbers prove it here.
    @Test func knownContentsAreNotComputedAgain() throws {
        _ = try whole(.bin, "tokens")
        let folder = TokenFolder(path: scene.place("tokens"))
        let (terms, index) = (try folder.terms(), try folder.index(0))
        let forged = index.usable.map { TokenRow(picture: $0, tokens: [Int32](repeating: 5, count: 16)) }
        try folder.write(0, forged, of: index.pictures, terms)
        try scene.put(TinyCheckpoint.picture(seed: 60), as: "ape/a.png")
        #expect(try scene.run(.bin).run { false })
        let after = try folder.tokens(try folder.index(0), try folder.terms())
        #expect(after[0] != forged[0].tokens && after[1] == forged[0].tokens && after[2] == forged[1].tokens)
    }

    @Test func aDamagedFileIsMadeAgain() throws {
        let expected = try whole(.webdataset, "tokens")
        let path = scene.place("tokens/tokens-00001.tar")
        try StoredFile.write(Array(try StoredFile.read(path).dropLast(600)), to: path)
        let transcript = Transcript()
        #expect(try scene.run(console: transcript.console).run { false })
        #expect(transcript.text.contains("tokens-00001.tar: truncated") && transcript.text.contains("part 1 is made again"))
        #expect(try TokenScene.contents(scene.place("tokens")) == expected)
    }

    @Test func aPictureThatWasMendedCounts() throws {
        _ = try whole(.llamagen, "tokens")
        try scene.put(TinyCheckpoint.picture(seed: 70), as: "dog/z.png")
        #expect(try scene.run(.llamagen).run { false })
        #expect(StoredFile.exists(scene.place("tokens/pets_codes/6.npy")))
        #expect(try TokenScene.contents(scene.place("tokens")) == (try whole(.llamagen)))
    }

    @Test func aFolderOfOtherTokensIsRefused() throws {
        _ = try whole(.webdataset, "tokens")
        func reason(_ difference: String) -> String {
            "\(scene.place("tokens")) holds tokens with \(difference): choose a new folder, or use the same options"
        }
        #expect { try scene.run(.bin).run { false } } throws: { ($0 as? FileError)?.reason == reason("format = webdataset, not bin") }
        #expect { try scene.run(views: .flip).run { false } } throws: { ($0 as? FileError)?.reason == reason("views = none, not flip") }
        #expect { try scene.run(perFile: 4).run { false } } throws: { ($0 as? FileError)?.reason == reason("pictures per file = 3, not 4") }
        try StoredFolder.create(scene.place("other"))
        try StoredFile.write([1], to: scene.place("other/letter.txt"))
        let other = "\(scene.place("other")) is not empty and has no metadata.json: choose a new folder for the tokens"
        #expect { try scene.run(to: "other").run { false } } throws: { ($0 as? FileError)?.reason == other }
        #expect(try TokenScene.contents(scene.place("other")).count == 1)
    }

    @Test func twoJobsOnTheSamePartsAreRefusedAndOnOthersNot() throws {
        try StoredFolder.create(scene.place("tokens"))
        let held = try RangeLock(1..<3, of: scene.place("tokens/.lock"))
        try #require(held != nil)
        let reason =
            "\(scene.place("tokens")): another process is making some of the same parts: wait for it, or give each a --shard of its own"
        for shard in ["0/1", "1/2", "2/3"] {
            #expect { try scene.run(shard: shard).run { false } } throws: { ($0 as? FileError)?.reason == reason }
        }
        #expect(try scene.run(shard: "0/3").run { false })
        // But not on other pictures while somebody is at these.
        try scene.put(TinyCheckpoint.picture(seed: 80), as: "zebra/a.png")
        #expect { try scene.run(shard: "0/3").run { false } } throws: {
            ($0 as? FileError)?.reason.hasSuffix("is working there on other pictures than those of \(scene.pictures)") == true
        }
        withExtendedLifetime(held) {}
        _ = consume held
        #expect(try scene.run().run { false })
    }

    @Test func moreJobsThanPartsHaveNothingToDo() throws {
        let transcript = Transcript()
        #expect(try scene.run(shard: "0/4", console: transcript.console).run { false })
        #expect(
            transcript.text
                == "nothing to do for job 0 of 4: there are only 3 parts of 3 pictures; a lower --per-file makes more\n")
        #expect(!StoredFile.exists(scene.place("tokens")))
    }

    @Test func verifyingSaysHowNearTheDrawingsCome() throws {
        let transcript = Transcript()
        let run = try scene.run(console: transcript.console)
        #expect(try run.run { false })
        try run.verify(2)
        #expect(transcript.text.contains("verified 2 images: PSNR "))
        try run.verify(1000)
        #expect(transcript.text.contains("verified 6 images: PSNR "))
    }

    @Test func aCheckpointWhoseCodesBelongToPlacesHasOneSize() throws {
        let checkpoint = try Checkpoint(scene.checkpoint.directory)
        #expect { _ = try PictureEncoder(checkpoint, size: 256, crop: .centre, views: .none) } throws: {
            "\($0)".hasPrefix("this checkpoint cannot make tokens of 256×256 pixels: ")
        }
        #expect { _ = try PictureEncoder(checkpoint, size: nil, crop: .none, views: .none) } throws: {
            "\($0)" == "this checkpoint makes tokens of 128×128 pixels only: codes, statistics or rectifier belong to that size"
        }
    }
}
