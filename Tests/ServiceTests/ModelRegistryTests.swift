import Testing

@testable import Service

@Suite struct ModelRegistryTests {
    private func code(_ body: () throws -> Void) -> ModelError? {
        do {
            try body()
            return nil
        } catch { return error as? ModelError }
    }

    @Test func isNotReadyWhileEmpty() {
        let registry = ModelRegistry(residentVersions: 2)
        #expect(!registry.isReady)
        #expect(code { _ = try registry.find(nil) } == .notReady)
        #expect(code { _ = try registry.resident(fingerprint: "f1", model: nil) } == .notReady)
    }

    @Test func theOnlyModelNeedsNoName() throws {
        let registry = ModelRegistry(residentVersions: 2)
        let engine = FakeEngine()
        registry.serve(engine, as: "photos")
        #expect(registry.isReady)
        #expect(try registry.find(nil).engine === engine)
        #expect(try registry.find("photos").name == "photos")
        #expect(code { _ = try registry.find("faces") } == .unknown("faces", served: ["photos"]))
    }

    @Test func amongSeveralTheOneNamedDefaultNeedsNoName() throws {
        let registry = ModelRegistry(residentVersions: 2)
        registry.serve(FakeEngine(), as: "a")
        registry.serve(FakeEngine(), as: "b")
        #expect(code { _ = try registry.find(nil) } == .ambiguous(served: ["a", "b"]))
        registry.serve(FakeEngine(), as: "default")
        #expect(try registry.find(nil).name == "default")
    }

    @Test func aNewVersionTakesOverAndTheEarlierOnesStayUpToTheBound() throws {
        let registry = ModelRegistry(residentVersions: 2)
        let engines = (1...3).map { FakeEngine(version: $0, fingerprint: "f\($0)") }
        let running = try { () throws in
            registry.serve(engines[0], as: "default")
            return try registry.find(nil)
        }()
        registry.serve(engines[1], as: "default")
        #expect(try registry.find(nil).facts.version == 2)
        #expect(try registry.resident(fingerprint: "f1", model: nil).engine === engines[0])
        registry.serve(engines[2], as: "default")
        #expect(code { _ = try registry.resident(fingerprint: "f1", model: nil) } == .notResident("f1", resident: ["f2", "f3"]))
        #expect(registry.listing.map(\.versions) == [[engines[2].facts, engines[1].facts]])
        #expect(running.engine === engines[0])
    }

    @Test func servingAVersionAgainMovesItToTheFront() throws {
        let registry = ModelRegistry(residentVersions: 2)
        let (first, second) = (FakeEngine(version: 1), FakeEngine(version: 2))
        for engine in [first, second, first] { registry.serve(engine, as: "default") }
        #expect(registry.listing[0].versions.map(\.version) == [1, 2])
    }

    @Test func aFingerprintIsFoundInEveryModelOrTheNamedOne() throws {
        let registry = ModelRegistry(residentVersions: 2)
        registry.serve(FakeEngine(fingerprint: "fa"), as: "a")
        registry.serve(FakeEngine(fingerprint: "fb"), as: "b")
        #expect(try registry.resident(fingerprint: "fb", model: nil).name == "b")
        #expect(try registry.resident(fingerprint: "fb", model: "b").name == "b")
        #expect(code { _ = try registry.resident(fingerprint: "fb", model: "a") } == .notResident("fb", resident: ["fa", "fb"]))
        #expect(code { _ = try registry.resident(fingerprint: "fb", model: "c") } == .unknown("c", served: ["a", "b"]))
    }

    @Test func aModelThatIsRemovedIsServedNoLonger() throws {
        let registry = ModelRegistry(residentVersions: 2)
        registry.serve(FakeEngine(), as: "a")
        let running = try registry.find("a")
        registry.remove("a")
        #expect(code { _ = try registry.find("a") } == .notReady)
        #expect(!registry.isReady && running.name == "a")
    }

    @Test func aVersionLoadedAgainReplacesItselfAndEvictsNone() throws {
        let registry = ModelRegistry(residentVersions: 2)
        let (first, second, again) = (FakeEngine(version: 1), FakeEngine(version: 2), FakeEngine(version: 2))
        for engine in [first, second, again] { registry.serve(engine, as: "default") }
        #expect(try registry.find(nil).engine === again)
        #expect(registry.listing[0].versions == [again.facts, first.facts])
    }

    @Test func aResidentVersionIsServedWithoutAnother() throws {
        let registry = ModelRegistry(residentVersions: 2)
        #expect(registry.serveResident(FakeEngine().facts.identity, as: "default") == .absent)
        let engines = (1...2).map { FakeEngine(version: $0, fingerprint: "f\($0)") }
        for engine in engines { registry.serve(engine, as: "default") }
        #expect(registry.serveResident(ModelIdentity(version: 2, fingerprint: "f1"), as: "default") == .absent)
        #expect(registry.serveResident(engines[1].facts.identity, as: "default") == .current)
        #expect(registry.serveResident(engines[0].facts.identity, as: "default") == .earlier)
        #expect(registry.listing.map(\.versions) == [[engines[0].facts, engines[1].facts]])
    }

    @Test func aVersionThatIsLetGoIsFreedOnceNobodyUsesIt() throws {
        let registry = ModelRegistry(residentVersions: 1)
        weak var first: FakeEngine?
        var running: ServedModel?
        do {
            let engine = FakeEngine()
            first = engine
            registry.serve(engine, as: "default")
            running = try registry.find(nil)
        }
        registry.serve(FakeEngine(version: 2), as: "default")
        registry.releaseUnused()
        #expect(first != nil && running?.engine === first)
        // The request does not free it: giving back a large model takes a while.
        running = nil
        #expect(first != nil)
        registry.releaseUnused()
        #expect(first == nil)
    }
}
