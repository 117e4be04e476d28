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

    /// A checkpoint's manifest is its version number and perhaps words; anything else does not load.
    private static let identify: VersionReader = { path in
        let text = (try? StoredFile.read(path + "/manifest.json")).map { String(decoding: $0, as: UTF8.self) }
        return text.flatMap { Int($0.split(separator: " ").first ?? "") }.map { ModelIdentity(version: $0, fingerprint: "f\($0)") }
    }

    private func watcher(_ loaded: Mailbox<String> = Mailbox(), trials: CanaryTrials = CanaryTrials(.init())) throws -> CheckpointWatcher {
        try CheckpointWatcher(folder: folder.path, registry: registry, trials: trials, logger: logger, identify: Self.identify) { path, _ in
            loaded.post(PathName.last(of: path))
            guard let identity = Self.identify(path) else { throw Broken() }
            return FakeEngine(version: identity.version, fingerprint: identity.fingerprint)
        }
    }

    private let now = ContinuousClock.now

    private var served: Int? { try? registry.find(nil).facts.version }

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
        let watcher = try watcher()
        #expect(!watcher.step(at: now))
        try folder.publish("1", to: "default/1")
        #expect(watcher.step(at: now))
        #expect(!watcher.step(at: now))
        #expect(served == 1)
        try folder.publish("2", to: "default/2")
        #expect(watcher.step(at: now))
        #expect(served == 2)
        #expect((try? registry.resident(fingerprint: "f1", model: nil)) != nil)
        #expect(messages.posted == ["checkpoint loaded ", "checkpoint loaded "])
    }

    @Test func aBrokenVersionIsReportedOnceAndTheOldOneStays() throws {
        let watcher = try watcher()
        try folder.publish("1", to: "default/1")
        while watcher.step(at: now) {}
        try folder.publish("broken", to: "default/2")
        #expect(watcher.step(at: now))
        #expect(!watcher.step(at: now))
        #expect(!watcher.step(at: now))
        #expect(served == 1)
        #expect(messages.posted == ["checkpoint loaded ", "checkpoint refused Broken()"])
        try folder.write("3", to: "default/2/manifest.json")
        #expect(watcher.step(at: now))
        #expect(served == 3)
    }

    @Test func aFolderThatVanishesIsReportedOnceAndNothingIsLost() throws {
        let watcher = try watcher()
        try folder.publish("1", to: "default/1")
        while watcher.step(at: now) {}
        rename(folder.path, folder.path + "-gone")
        #expect(!watcher.step(at: now))
        #expect(!watcher.step(at: now))
        #expect(served == 1)
        #expect(messages.posted.count == 2)
        rename(folder.path + "-gone", folder.path)
        #expect(!watcher.step(at: now))
    }

    @Test func aModelWhoseFolderIsRemovedIsServedNoLonger() throws {
        let watcher = try watcher()
        try folder.publish("1", to: "default/1")
        while watcher.step(at: now) {}
        StoredFolder.remove(folder.path + "/default")
        watcher.withdraw()
        #expect(served == 1)
        watcher.withdraw()
        #expect(served == nil)
        #expect(messages.posted.last == "model removed ")
        try folder.publish("1", to: "default/1")
        #expect(watcher.step(at: now))
        #expect(served == 1)
    }

    /// Files touched, or a manifest written anew in place.
    @Test func aVersionThatIsTouchedIsNotLoadedAgainAndEvictsNone() throws {
        let loaded = Mailbox<String>()
        let watcher = try watcher(loaded)
        for version in ["1", "2"] {
            try folder.publish(version, to: "default/\(version)")
            while watcher.step(at: now) {}
        }
        for words in ["touched", "and again"] {
            try folder.write("2 \(words)", to: "default/2/manifest.json")
            #expect(watcher.step(at: now))
            #expect(!watcher.step(at: now))
        }
        #expect(served == 2 && loaded.posted == ["1", "2"])
        #expect((try? registry.resident(fingerprint: "f1", model: nil)) != nil)
        #expect(messages.posted == ["checkpoint loaded ", "checkpoint loaded "])
    }

    @Test func removingAVersionServesTheOneBeforeFromMemory() throws {
        let loaded = Mailbox<String>()
        let watcher = try watcher(loaded)
        for version in ["1", "2"] {
            try folder.publish(version, to: "default/\(version)")
            while watcher.step(at: now) {}
        }
        StoredFolder.remove(folder.path + "/default/2")
        #expect(watcher.step(at: now))
        #expect(served == 1 && loaded.posted == ["1", "2"])
        #expect((try? registry.resident(fingerprint: "f2", model: nil)) != nil)
    }

    @Test func aLoadEndsWhenTheServerStopsAndIsNoFailure() throws {
        try folder.publish("1", to: "default/1")
        let loading = Gate()
        let watcher = try CheckpointWatcher(folder: folder.path, registry: registry, logger: logger) { _, goesOn in
            loading.open()
            while goesOn() {}
            throw Broken()
        }
        let thread = try DedicatedThread { watcher.run(every: .seconds(600)) }
        loading.pass()
        watcher.stop()
        thread.join()
        #expect(served == nil && messages.posted == [])
    }

    @Test func theThreadPicksUpWhatIsPublished() throws {
        try folder.publish("1", to: "default/1")
        let watcher = try watcher()
        let thread = try DedicatedThread { watcher.run(every: .milliseconds(1)) }
        _ = messages.wait(for: 1)
        #expect(served == 1)
        try folder.publish("2", to: "default/2")
        _ = messages.wait(for: 2)
        #expect(served == 2)
        watcher.stop()
        thread.join()
    }

    /// Long before it would look by itself.
    @Test func aPublicationWakesTheThread() throws {
        let watcher = try watcher()
        let thread = try DedicatedThread { watcher.run(every: .seconds(600)) }
        try folder.publish("1", to: "default/1")
        _ = messages.wait(for: 1)
        try folder.publish("2", to: "default/2")
        _ = messages.wait(for: 2)
        #expect(served == 2)
        watcher.stop()
        thread.join()
    }

    // MARK: Orders

    private func serving(_ versions: ClosedRange<Int>, _ loaded: Mailbox<String> = Mailbox(), trials: CanaryTrials = CanaryTrials(.init())) throws
        -> CheckpointWatcher
    {
        let watcher = try watcher(loaded, trials: trials)
        for version in versions {
            try folder.publish("\(version)", to: "default/\(version)")
            while watcher.step(at: now) {}
        }
        return watcher
    }

    @Test func rollingBackTakesTheOneBeforeFromMemory() throws {
        let loaded = Mailbox<String>()
        let watcher = try serving(1...2, loaded)
        try watcher.take(.rollback, for: "default")
        while watcher.step(at: now) {}
        #expect(served == 1 && loaded.posted == ["1", "2"])
        try watcher.take(.load(version: nil), for: "default")
        while watcher.step(at: now) {}
        #expect(served == 2)
    }

    @Test func pinningLoadsWhatIsNotInMemory() throws {
        let watcher = try serving(1...3)
        #expect((try? registry.resident(fingerprint: "f1", model: nil)) == nil)
        try watcher.take(.pin(version: "1"), for: "default")
        while watcher.step(at: now) {}
        #expect(served == 1)
        try folder.publish("4", to: "default/4")
        while watcher.step(at: now) {}
        #expect(served == 1)
        try watcher.take(.unpin, for: "default")
        while watcher.step(at: now) {}
        #expect(served == 4)
    }

    @Test func unloadingTakesAVersionOrTheModelOutOfMemory() throws {
        let watcher = try serving(1...2)
        try watcher.take(.unload(version: "1"), for: "default")
        while watcher.step(at: now) {}
        #expect(registry.listing[0].versions.map(\.version) == [2])
        try watcher.take(.unload(version: nil), for: "default")
        while watcher.step(at: now) {}
        #expect(served == nil && messages.posted.last == "model unloaded ")
        try watcher.take(.load(version: nil), for: "default")
        while watcher.step(at: now) {}
        #expect(served == 2)
    }

    /// An order that comes while a version is being loaded holds for it too.
    @Test func aVersionThatIsNotWantedAnyMoreIsNotServedOnceItIsLoaded() throws {
        try folder.publish("1", to: "default/1")
        let loading = Gate()
        let watcher = try CheckpointWatcher(folder: folder.path, registry: registry, logger: logger, identify: Self.identify) { path, goesOn in
            if PathName.last(of: path) == "2" {
                loading.pass()
                #expect(!goesOn())
            }
            return FakeEngine(version: Self.identify(path)!.version)
        }
        while watcher.step(at: now) {}
        try folder.publish("2", to: "default/2")
        let thread = try DedicatedThread { [now] in _ = watcher.step(at: now) }
        loading.waitForArrival()
        try watcher.take(.pin(version: "1"), for: "default")
        loading.open()
        thread.join()
        #expect(served == 1)
    }

    // MARK: Trials

    private let policy = CanaryFigures.Policy(share: 100, pictures: 3, mostLoss: 0.5)

    /// Encodes pictures that the stable version of the fakes draws well, until the trial is decided.
    private func decide(_ trials: CanaryTrials, _ watcher: CheckpointWatcher) throws {
        let stable = try registry.find("default")
        let decided = Gate()
        let thread = try DedicatedThread { trials.run { decided.open() } }
        for _ in 0..<3 { trials.offer(FakeEngine.image(filledWith: 40), to: stable) }
        decided.pass()
        while watcher.step(at: now) {}
        trials.stop()
        thread.join()
    }

    @Test func aCanaryThatIsNoWorseTakesOver() throws {
        let trials = CanaryTrials(policy)
        let watcher = try serving(1...2, trials: trials)
        #expect(served == 1 && registry.canary(of: "default")?.facts.version == 2)
        #expect(messages.posted.last == "canary loaded ")
        try decide(trials, watcher)
        #expect(served == 2 && registry.canary(of: "default") == nil)
        #expect(messages.posted.last == "canary promoted ")
        #expect(trials.figures[0].figures.meanAgreement == 1 && trials.figures[0].figures.psnrDifference == 0)
    }

    @Test func aCanaryThatIsWorseGoesAndItsTokensCanStillBeDecoded() throws {
        let trials = CanaryTrials(policy)
        let watcher = try CheckpointWatcher(folder: folder.path, registry: registry, trials: trials, logger: logger, identify: Self.identify) {
            path, _ in
            let identity = Self.identify(path)!
            return FakeEngine(version: identity.version, fingerprint: identity.fingerprint, error: identity.version == 2 ? 20 : 1)
        }
        for version in 1...2 {
            try folder.publish("\(version)", to: "default/\(version)")
            while watcher.step(at: now) {}
        }
        try decide(trials, watcher)
        #expect(served == 1 && registry.canary(of: "default") == nil)
        #expect(messages.posted.last == "canary rolled back ")
        #expect((try? registry.resident(fingerprint: "f2", model: nil)) != nil)
        #expect(try watcher.standing(of: "default").refused.keys.map { PathName.last(of: $0) } == ["2"])
    }

    @Test func anOperatorMayDecideATrial() throws {
        let trials = CanaryTrials(policy)
        let watcher = try serving(1...2, trials: trials)
        try watcher.take(.promote, for: "default")
        while watcher.step(at: now) {}
        #expect(served == 2)
        #expect(throws: ModelError.conflict("\"default\" has no canary")) { try watcher.take(.promote, for: "default") }
        try folder.publish("3", to: "default/3")
        while watcher.step(at: now) {}
        try watcher.take(.rollback, for: "default")
        while watcher.step(at: now) {}
        #expect(served == 2 && registry.canary(of: "default") == nil)
    }

    @Test func aCanaryThatIsUnloadedOrReplacedIsNone() throws {
        let trials = CanaryTrials(policy)
        let watcher = try serving(1...3, trials: trials)
        #expect(registry.canary(of: "default")?.facts.version == 3)
        #expect(registry.listing[0].versions.map(\.version) == [1, 2, 3])
        try watcher.take(.unload(version: "3"), for: "default")
        while watcher.step(at: now) {}
        #expect(registry.listing[0].versions.map(\.version).contains(3) == false)
        #expect(registry.canary(of: "default")?.facts.version == 2)
    }
}
