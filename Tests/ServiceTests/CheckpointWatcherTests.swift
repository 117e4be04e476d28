import Glibc
import Logging
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Files
@testable import Service

/// Keeps the messages that are logged.
private struct LogRecorder: LogHandler {
    let messages: Mailbox<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        messages.post("\(event.message) \(event.metadata?["reason"] ?? "")")
    }
}

@Suite struct CheckpointWatcherTests {
    private struct Broken: Error {}

    private let folder = ScratchFolder()
    private let registry = ModelRegistry(residentVersions: 2)
    private let messages = Mailbox<String>()

    private var logger: Logger {
        let messages = messages
        return Logger(label: "test") { _ in LogRecorder(messages: messages) }
    }

    /// A checkpoint's manifest is its version number; anything else does not load.
    private static let load: EngineLoader = { path in
        guard let file = fopen(path + "/manifest.json", "r") else { throw Broken() }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, 64, file) != nil, let version = Int(String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        else { throw Broken() }
        return FakeEngine(version: version, fingerprint: "f\(version)")
    }

    private func watcher() -> CheckpointWatcher {
        CheckpointWatcher(folder: folder.path, registry: registry, logger: logger, load: Self.load)
    }

    private var served: Int? { try? registry.current(nil).facts.version }

    @Test func scanFindsWholeCheckpointsOnly() throws {
        try folder.publish("1", to: "a/1")
        try folder.publish("2", to: "b/step-2")
        try folder.write("3", to: "a/3.tmp/manifest.json")
        try folder.write("4", to: "a/.4/manifest.json")
        try folder.write("5", to: "a/5.partial/manifest.json")
        try folder.write("6", to: "a/6/weights.safetensors")
        try folder.write("7", to: ".c/7/manifest.json")
        try folder.write("8", to: "README")
        let found = try CheckpointScan.find(in: folder.path).map { "\($0.model)/\($0.version)" }
        #expect(found.sorted() == ["a/1", "b/step-2"])
    }

    @Test func scanReportsAFolderThatCannotBeRead() throws {
        #expect(throws: FileError(path: "/nowhere", reason: "cannot list the folder /nowhere: No such file or directory")) {
            try CheckpointScan.find(in: "/nowhere")
        }
    }

    @Test func identityChangesWithTheFiles() throws {
        try folder.publish("1", to: "a/1")
        let before = try CheckpointScan.find(in: folder.path)
        #expect(try CheckpointScan.find(in: folder.path) == before)
        try folder.write("x", to: "a/1/vae/extra")
        let within = try CheckpointScan.find(in: folder.path)
        #expect(within[0].files != before[0].files && within[0].shared == before[0].shared)
        try folder.write("x", to: "a/vae-1/weights")
        let beside = try CheckpointScan.find(in: folder.path)
        #expect(beside[0].files == within[0].files && beside[0].shared != within[0].shared)
    }

    @Test func servesWhatIsPublishedAndWhatReplacesIt() throws {
        let watcher = watcher()
        #expect(!watcher.step())
        try folder.publish("1", to: "default/1")
        #expect(watcher.step())
        #expect(!watcher.step())
        #expect(served == 1)
        try folder.publish("2", to: "default/2")
        #expect(watcher.step())
        #expect(served == 2)
        #expect((try? registry.resident(fingerprint: "f1", model: nil)) != nil)
        #expect(messages.posted == ["checkpoint loaded ", "checkpoint loaded "])
    }

    @Test func aBrokenVersionIsReportedOnceAndTheOldOneStays() throws {
        let watcher = watcher()
        try folder.publish("1", to: "default/1")
        while watcher.step() {}
        try folder.publish("broken", to: "default/2")
        #expect(watcher.step())
        #expect(!watcher.step())
        #expect(!watcher.step())
        #expect(served == 1)
        #expect(messages.posted == ["checkpoint loaded ", "checkpoint refused Broken()"])
        try folder.write("3", to: "default/2/manifest.json")
        #expect(watcher.step())
        #expect(served == 3)
    }

    @Test func aFolderThatVanishesIsReportedOnceAndNothingIsLost() throws {
        let watcher = watcher()
        try folder.publish("1", to: "default/1")
        while watcher.step() {}
        rename(folder.path, folder.path + "-gone")
        #expect(!watcher.step())
        #expect(!watcher.step())
        #expect(served == 1)
        #expect(messages.posted.count == 2)
        rename(folder.path + "-gone", folder.path)
        #expect(!watcher.step())
    }

    @Test func aModelWhoseFolderIsRemovedIsServedNoLonger() throws {
        let watcher = watcher()
        try folder.publish("1", to: "default/1")
        while watcher.step() {}
        StoredFolder.remove(folder.path + "/default")
        watcher.withdraw()
        #expect(served == 1)
        watcher.withdraw()
        #expect(served == nil)
        #expect(messages.posted.last == "model removed ")
        try folder.publish("1", to: "default/1")
        #expect(watcher.step())
        #expect(served == 1)
    }

    @Test func theThreadPicksUpWhatIsPublished() throws {
        try folder.publish("1", to: "default/1")
        let watcher = watcher()
        let thread = try DedicatedThread { watcher.run(every: .milliseconds(1)) }
        _ = messages.wait(for: 1)
        #expect(served == 1)
        try folder.publish("2", to: "default/2")
        _ = messages.wait(for: 2)
        #expect(served == 2)
        watcher.stop()
        thread.join()
    }
}
