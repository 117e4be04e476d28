import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Files
@testable import Images
@testable import Networks
@testable import TokenizerCore

@Suite struct CheckpointTests {
    @Test(arguments: [
        RectifierConfiguration(.identity, isResidual: false),
        RectifierConfiguration(.vit(width: 16, depth: 1, headDimension: 8, scales: [5]), isResidual: false),
        RectifierConfiguration(.mlp(width: 24, depth: 1), isResidual: true),
    ])
    func publishesWhatItLoads(_ configuration: RectifierConfiguration) throws {
        let checkpoint = try TinyCheckpoint(rectifier: configuration)
        let tokenizer = try checkpoint.tokenizer
        #expect(try checkpoint.manifest.name == "tiny")
        #expect(try checkpoint.manifest.version == 1)
        #expect(checkpoint.directory.hasSuffix("tiny/000001"))
        let tokens = tokenizer.encode(PixelBatch(images: [TinyCheckpoint.picture(seed: 1)]))
        #expect(tokens.indices.count == 16)
        #expect(tokenizer.draw(tokens).pixels.shape == [1, 128, 128, 3])
    }

    @Test func aSecondPublicationIsANewVersionOnTheSameAutoencoder() throws {
        let checkpoint = try TinyCheckpoint()
        let second = try TinyCheckpoint.publisher(codes: 32).publish(under: checkpoint.root)
        #expect(second.hasSuffix("tiny/000002"))
        let names = try StoredFolder.names(in: checkpoint.root + "/tiny")
        #expect(names.filter { $0.hasPrefix("vae-") }.count == 1)
        #expect(names.count == 3)
        let (a, b) = (try checkpoint.manifest, try Checkpoint(second).manifest)
        #expect(a.fingerprint != b.fingerprint)
    }

    @Test(arguments: [Grouping.strip, .block(height: 2, width: 2), .spatial, .klt(side: 2)])
    func aGroupingIsPartOfTheCheckpoint(_ grouping: Grouping) throws {
        let checkpoint = try TinyCheckpoint(grouping: grouping)
        #expect(try checkpoint.tokenizer.specification.quantizer.grouping == grouping)
        #expect(try checkpoint.manifest.fingerprint != TinyCheckpoint().manifest.fingerprint)
        // Without its grouping the manifest is another's; the numbers of a token alone do not say what they mean.
        try checkpoint.edit("manifest.json") { bytes in
            bytes = Array(String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\"grouping\"", with: "\"other\"").utf8)
        }
        #expect(throws: CheckpointError.self) { try checkpoint.tokenizer }
    }

    @Test(arguments: [nil, Grouping.klt(side: 2)], [2, 4])
    func stagesArePartOfTheCheckpoint(_ grouping: Grouping?, _ stages: Int) throws {
        let (checkpoint, plain) = (try TinyCheckpoint(grouping: grouping, stages: stages), try TinyCheckpoint(grouping: grouping))
        let tokenizer = try checkpoint.tokenizer
        #expect(tokenizer.specification.quantizer.stages == stages && tokenizer.specification.tokensPerImage == 16)
        #expect(try checkpoint.manifest.fingerprint != plain.manifest.fingerprint)
        let text = { (path: String) in String(decoding: try StoredFile.read(path + "/manifest.json"), as: UTF8.self) }
        #expect(try text(checkpoint.directory).contains("\"stages\" : \(stages)"))
        #expect(try !text(plain.directory).contains("stages"), "what has one is written as before there were more")
        // The same extents of tokens and codebooks in one stage are another's.
        try checkpoint.edit("manifest.json") { bytes in
            bytes = Array(String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\"stages\"", with: "\"other\"").utf8)
        }
        #expect(throws: CheckpointError.self) { try checkpoint.tokenizer }
    }

    /// Numbers that somebody has written into a manifest.
    @Test(arguments: [
        ("0", "1 to 64 stages, not 0"), ("-1", "1 to 64 stages, not -1"), ("65", "1 to 64 stages, not 65"), ("3", "3 stages do not divide 16 tokens"),
        ("8", "a token has 32 numbers, not 8"), ("\"2\"", "is not a manifest"), ("1e30", "is not a manifest"),
    ])
    func impossibleStagesAreRefused(_ stages: String, _ reason: String) throws {
        let checkpoint = try TinyCheckpoint(stages: 2)
        try checkpoint.edit("manifest.json") { bytes in
            bytes = Array(String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\"stages\" : 2", with: "\"stages\" : \(stages)").utf8)
        }
        let error = #expect(throws: CheckpointError.self) { try checkpoint.tokenizer }
        #expect(error?.reason.contains(reason) == true && error?.description.contains("\n") == false, "\(error.map { "\($0)" } ?? "none")")
    }

    @Test func equalContentsHaveEqualFingerprints() throws {
        #expect(try TinyCheckpoint().manifest.fingerprint == TinyCheckpoint().manifest.fingerprint)
    }

    /// What is done to a good checkpoint, and what the refusal must say.
    enum Damage: CaseIterable {
        case changedByte, truncated, missingFile, missingManifest, notJSON, futureFormat, otherLayout, pathOutside, wrongGolden, noGolden,
            unlistedWeights, namedPipe

        var reason: String {
            switch self {
            case .changedByte: "SHA-256"
            case .truncated: "bytes, the manifest says"
            case .missingFile: "No such file"
            case .missingManifest: "No such file"
            case .notJSON: "is not a manifest"
            case .futureFormat: "format version 9 is not 1"
            case .otherLayout: "7 tokens do not divide 64 latent values"
            case .pathOutside: "leads elsewhere"
            case .wrongGolden, .noGolden: "SHA-256"
            case .unlistedWeights: "does not list quantizer.safetensors"
            case .namedPipe: "is not a regular file"
            }
        }

        func inflict(on checkpoint: TinyCheckpoint) throws {
            func rewrite(_ from: String, _ to: String) throws {
                try checkpoint.edit("manifest.json") { bytes in
                    bytes = Array(String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: from, with: to).utf8)
                }
            }
            switch self {
            case .changedByte: try checkpoint.edit("quantizer.safetensors") { $0[$0.count - 2] ^= 64 }
            case .truncated: try checkpoint.edit("quantizer.safetensors") { $0.removeLast(100) }
            case .missingFile: try FileManager.default.removeItem(atPath: checkpoint.directory + "/quantizer.safetensors")
            case .missingManifest: try FileManager.default.removeItem(atPath: checkpoint.directory + "/manifest.json")
            case .notJSON: try checkpoint.edit("manifest.json") { $0.removeLast(40) }
            case .futureFormat: try rewrite("\"formatVersion\" : 1", "\"formatVersion\" : 9")
            case .otherLayout: try rewrite("\"tokens\" : 16", "\"tokens\" : 7")
            case .pathOutside: try rewrite("\"golden-0.png\"", "\"../golden-0.png\"")
            case .wrongGolden: try checkpoint.edit("golden.json") { $0[$0.firstIndex(of: UInt8(ascii: "["))! + 1] ^= 1 }
            case .unlistedWeights: try rewrite("\"quantizer.safetensors\"", "\"other.safetensors\"")
            case .namedPipe:
                try FileManager.default.removeItem(atPath: checkpoint.directory + "/manifest.json")
                mkfifo(checkpoint.directory + "/manifest.json", 0o600)
            case .noGolden: try checkpoint.edit("golden.json") { $0 = Array("[]".utf8) + Array(repeating: 32, count: $0.count - 2) }
            }
        }
    }

    @Test(arguments: Damage.allCases)
    func refusesADamagedCheckpoint(_ damage: Damage) throws {
        let checkpoint = try TinyCheckpoint()
        try damage.inflict(on: checkpoint)
        do throws(CheckpointError) {
            _ = try VisualTokenizer.load(from: checkpoint.directory)
            Issue.record("a checkpoint was loaded although it suffered \(damage)")
        } catch {
            #expect(error.reason.contains(damage.reason), "\(error)")
            #expect(!error.description.contains("\n"))
        }
    }

    /// Somebody writes into a folder that is being served, and cuts its files short: a mapped page would change, or end the process.
    @Test func whatIsDoneToItsFilesLaterChangesNothing() throws {
        let checkpoint = try TinyCheckpoint(rectifier: RectifierConfiguration(.mlp(width: 24, depth: 1), isResidual: false))
        let loaded = try Checkpoint(checkpoint.directory)
        // Not the one that other tests have loaded.
        let vae = try CheckpointFiles(loaded.manifest, in: checkpoint.directory) { true }.loadVAE(.float32)
        let tokenizer = try VisualTokenizer(
            loaded.manifest.specification, vae: vae, normalizer: loaded.normalizer, quantizer: loaded.quantizer, rectifier: loaded.rectifier)
        let folders = [checkpoint.directory, "\(checkpoint.root)/tiny/\(loaded.manifest.vae.sharedDirectoryName)"]
        for folder in folders {
            for name in try StoredFolder.names(in: folder) { overwrite("\(folder)/\(name)") }
        }
        let picture = PixelBatch(images: [TinyCheckpoint.picture(seed: 1)])
        let tokens = tokenizer.encode(picture)
        let intact = try TinyCheckpoint(rectifier: RectifierConfiguration(.mlp(width: 24, depth: 1), isResidual: false)).tokenizer
        #expect(tokens == intact.encode(picture))
        #expect(tokenizer.draw(tokens).pixels.values == intact.draw(tokens).pixels.values)
    }

    /// In place, then to nothing.
    private func overwrite(_ path: String) {
        let descriptor = open(path, O_WRONLY)
        defer { close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, SEEK_END)))
        #expect(pwrite(descriptor, zeros, zeros.count, 0) == zeros.count)
        #expect(ftruncate(descriptor, 0) == 0)
    }

    @Test(arguments: [("quantizer.safetensors", true), ("quantizer.safetensors", false), ("golden-0.png", true)])
    func aFileOfGigabytesIsRefusedByItsSize(_ name: String, isListed: Bool) throws {
        let checkpoint = try TinyCheckpoint()
        let path = "\(checkpoint.directory)/\(name)"
        let bytes = try StoredFile.read(path).count
        #expect(truncate(path, 64 << 30) == 0)
        if isListed {
            try setBytes(bytes, to: 64 << 30, in: checkpoint)
        }
        do throws(CheckpointError) {
            _ = try Checkpoint(checkpoint.directory, precision: .float32) {
                Issue.record("something was read")
                return false
            }
        } catch {
            #expect(error.reason.contains(isListed ? "\(64 << 30) bytes, it needs no more than" : "\(64 << 30) bytes, the manifest says \(bytes)"))
        }
    }

    @Test func anAutoencoderOfGigabytesIsRefusedByItsSize() throws {
        let checkpoint = try TinyCheckpoint()
        let vae = try checkpoint.manifest.vae
        #expect(truncate("\(checkpoint.root)/tiny/\(vae.sharedDirectoryName)/\(Autoencoder.weightsName)", 64 << 30) == 0)
        try setBytes(vae.weights.bytes, to: 64 << 30, in: checkpoint)
        do throws(CheckpointError) {
            _ = try Checkpoint(checkpoint.directory)
            Issue.record("64 GiB were loaded")
        } catch {
            #expect(error.reason.contains("\(64 << 30) bytes, it needs no more than"), "\(error)")
        }
    }

    /// Lets the manifest claim another size.
    private func setBytes(_ bytes: Int, to claimed: Int, in checkpoint: TinyCheckpoint) throws {
        try checkpoint.edit("manifest.json") { json in
            let text = String(decoding: json, as: UTF8.self)
            json = Array(text.replacingOccurrences(of: "\"bytes\" : \(bytes),", with: "\"bytes\" : \(claimed),").utf8)
        }
    }

    @Test func loadingEndsWheneverItIsStopped() throws {
        let checkpoint = try TinyCheckpoint()
        var asked = 0
        _ = try VisualTokenizer(Checkpoint(checkpoint.directory, precision: .float32)) {
            asked += 1
            return true
        }
        #expect(asked == 1)
        let questions = Atomic<Int>(0)
        func load(stoppingAt last: Int) throws(CheckpointError) {
            questions.store(0, ordering: .relaxed)
            _ = try Checkpoint(checkpoint.directory, precision: .float32) { questions.add(1, ordering: .relaxed).newValue < last }
        }
        try load(stoppingAt: .max)
        let all = questions.load(ordering: .relaxed)
        #expect(all >= 5)
        for last in 1...all {
            do throws(CheckpointError) {
                try load(stoppingAt: last)
                Issue.record("loading went on after question \(last)")
            } catch {
                #expect(error.reason.contains("loading was stopped"))
                #expect(questions.load(ordering: .relaxed) == last)
            }
        }
        #expect(throws: CheckpointError.self) {
            try VisualTokenizer(Checkpoint(checkpoint.directory, precision: .float32)) { false }
        }
    }

    @Test func refusesTokensThatItDoesNotReproduce() throws {
        let checkpoint = try TinyCheckpoint()
        let loaded = try Checkpoint(checkpoint.directory)
        let tokenizer = try VisualTokenizer(loaded)
        let picture = TinyCheckpoint.picture(seed: 7)
        var tokens = tokenizer.encode(PixelBatch(images: [picture])).indices
        let good = GoldenImage(file: "golden-0.png", tokens: tokens, psnrFloor: 0)
        #expect(throws: Never.self) { try tokenizer.reproduce([good], of: loaded) }
        tokens[5] = (tokens[5] + 1) % 48
        let wrong = GoldenImage(file: "golden-0.png", tokens: tokens, psnrFloor: 0)
        #expect(throws: CheckpointError.self) { try tokenizer.reproduce([wrong], of: loaded) }
        let proud = GoldenImage(file: "golden-0.png", tokens: good.tokens, psnrFloor: 90)
        #expect(throws: CheckpointError.self) { try tokenizer.reproduce([proud], of: loaded) }
        #expect(throws: CheckpointError.self) { try tokenizer.reproduce([], of: loaded) }
        let outside = GoldenImage(file: "../000001/golden-0.png", tokens: good.tokens, psnrFloor: 0)
        #expect(throws: CheckpointError.self) { try tokenizer.reproduce([outside], of: loaded) }
    }

    @Test func weightsThatAreNotFiniteAreRefused() throws {
        let publisher = try TinyCheckpoint.publisher()
        var codebooks = publisher.quantizer.codebooks
        codebooks.withMutablePointer { $0[17] = .nan }
        let broken = CheckpointPublisher(
            name: "broken", imageSize: 128, vaeDirectory: publisher.vaeDirectory, vae: publisher.vae,
            normalizer: publisher.normalizer,
            quantizer: GroupQuantizer(publisher.quantizer.layout, shape: TinyCheckpoint.shape, codebooks: codebooks),
            rectifier: publisher.rectifier, metrics: publisher.metrics, goldenImages: publisher.goldenImages)
        let root = FileManager.default.temporaryDirectory.path + "/revq-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        #expect(throws: CheckpointError.self) { try broken.publish(under: root) }
        let names = try StoredFolder.names(in: root + "/broken")
        #expect(names.allSatisfy { $0.hasPrefix("vae-") }, "nothing half-made stays behind: \(names)")
    }
}
