import TestSupport
import Testing
import Threads

@testable import Images
@testable import Service
@testable import TokenizerCore

@Suite struct CanaryTests {
    private let policy = CanaryFigures.Policy(share: 100, pictures: 40, mostLoss: 0.5)
    private let picture = FakeEngine.image(filledWith: 40)

    /// Figures of pictures whose PSNR differs by these.
    private func figures(_ differences: [UInt8]) throws -> CanaryFigures {
        var figures = CanaryFigures()
        for error in differences {
            figures.add(try FakeEngine(error: 10).compare(picture, with: FakeEngine(error: error)))
        }
        return figures
    }

    @Test func aComparisonSaysHowManyTokensAreEqualAndHowFarThePicturesAre() throws {
        let comparison = try FakeEngine().compare(picture, with: FakeEngine(error: 255))
        #expect(comparison.agreement == 1 && comparison.stablePSNR == 100)
        #expect(abs(comparison.canaryPSNR - PeakSignalToNoise.decibels(meanSquaredError: 1)) < 1e-9)
        #expect(try FakeEngine().compare(picture, with: FakeEngine(tokens: 5)).agreement == nil)
    }

    @Test func oneThatIsNoWorseIsPromotedAtTheLastPicture() throws {
        #expect(try figures([UInt8](repeating: 10, count: 39)).verdict(policy) == .undecided)
        #expect(try figures([UInt8](repeating: 10, count: 40)).verdict(policy) == .promoted)
    }

    /// 12 for 10 is 1.6 dB; by chance of which pictures came it may not be.
    @Test func oneThatIsSurelyWorseGoesEarly() throws {
        #expect(try figures([UInt8](repeating: 12, count: 15)).verdict(policy) == .undecided)
        #expect(try figures([UInt8](repeating: 12, count: 16)).verdict(policy) == .rolledBack)
        let mixed = (0..<16).map { UInt8($0 % 2 == 0 ? 20 : 6) }
        #expect(try figures(mixed).psnrDifference! < -0.5)
        #expect(try figures(mixed).verdict(policy) == .undecided)
        #expect(try figures((0..<40).map { UInt8($0 % 2 == 0 ? 20 : 6) }).verdict(policy) == .rolledBack)
    }

    @Test func oneThatFailsGoesAtOnce() {
        var figures = CanaryFigures()
        #expect(figures.verdict(policy) == .undecided)
        figures.addFailure()
        #expect(figures.verdict(policy) == .rolledBack)
    }

    // MARK: Trials

    private func trial(_ canary: FakeEngine, share: Int = 100) -> (trials: CanaryTrials, stable: ServedModel) {
        let trials = CanaryTrials(.init(share: share, pictures: 40))
        let stable = ServedModel(name: "default", engine: FakeEngine())
        trials.begin(stable, beside: ServedModel(name: "default", engine: canary))
        return (trials, stable)
    }

    @Test func aShareOfThePicturesIsComparedAndThoseThatCannotWaitGoBy() throws {
        let gate = Gate()
        let canary = FakeEngine(version: 2, gate: gate)
        let (trials, stable) = trial(canary, share: 25)
        let thread = try DedicatedThread { trials.run {} }
        for _ in 0..<4 { trials.offer(picture, to: stable) }
        gate.waitForArrival()
        // Four more have room, and the rest has not.
        for _ in 0..<40 { trials.offer(picture, to: stable) }
        trials.offer(picture, to: ServedModel(name: "other", engine: FakeEngine()))
        trials.offer(picture, to: ServedModel(name: "default", engine: FakeEngine()))
        gate.open()
        while trials.figures[0].figures.pictures < 5 {}
        trials.stop()
        thread.join()
        #expect(canary.batchSizes.count == 2 * 5)
    }

    @Test func aTrialThatIsOverTakesNothing() {
        let (trials, stable) = trial(FakeEngine(version: 2))
        trials.end(of: "default")
        trials.offer(picture, to: stable)
        #expect(!trials.promote("default") && !trials.rollBack("default") && trials.decided.isEmpty)
        #expect(trials.figures.map(\.canary.version) == [2])
    }

    /// Its figures are kept, its versions are not: they are as large as a model.
    @Test func aTrialThatIsOverKeepsNoVersionInMemory() {
        let trials = CanaryTrials(.init(share: 100))
        weak var stable: FakeEngine?
        weak var canary: FakeEngine?
        do {
            let engines = (FakeEngine(), FakeEngine(version: 2))
            (stable, canary) = engines
            trials.begin(ServedModel(name: "default", engine: engines.0), beside: ServedModel(name: "default", engine: engines.1))
        }
        #expect(stable != nil && canary != nil)
        trials.end(of: "default")
        #expect(stable == nil && canary == nil && trials.figures.count == 1)
    }

    @Test func whatTakesPicturesOfAnotherSizeIsNoCanary() {
        let (trials, _) = trial(FakeEngine(version: 2, imageSize: 16))
        #expect(trials.decided.map(\.isPromoted) == [false])
    }

    /// The stable version's failure says nothing of the canary; the canary's alone does.
    @Test func onlyWhatTheCanaryAloneFailsAtCounts() throws {
        let unlucky = FakeEngine.image(filledWith: 13)
        let (trials, stable) = trial(FakeEngine(version: 2))
        let decided = Gate()
        let thread = try DedicatedThread { trials.run { decided.open() } }
        trials.offer(unlucky, to: stable)
        trials.offer(picture, to: stable)
        while trials.figures[0].figures.pictures < 1 {}
        #expect(trials.decided.isEmpty)
        trials.begin(stable, beside: ServedModel(name: "default", engine: FakeEngine(version: 3, tokens: 4, isBroken: true)))
        trials.offer(picture, to: stable)
        decided.pass()
        #expect(trials.decided.map(\.isPromoted) == [false] && trials.figures[0].figures.failures == 1)
        trials.stop()
        thread.join()
    }

    // MARK: By requests

    @Test func clientsGetTheStableVersionUnlessTheyAskForAnother() throws {
        let harness = ServiceHarness()
        harness.registry.serve(FakeEngine(version: 2, fingerprint: "f2"), as: "default", .canary)
        let png = PNGEncoder.encode(picture)
        func version(_ asked: String?) -> String? {
            harness.post("/encode", "image/png", png, query: asked.map { [("version", $0)] } ?? []).headers["Revq-Version"]
        }
        #expect([nil, "stable", "1"].map(version) == ["1", "1", "1"] && ["canary", "2"].map(version) == ["2", "2"])
        let answer = harness.post("/encode", "image/png", png, query: [("version", "next")])
        #expect(answer.problemCode == "unknown_model" && answer.text.contains("there are stable, canary, 1, 2"))
        #expect(harness.get("/models").text.contains("\"labels\":[\"canary\"]"))
        #expect(harness.get("/v2/models/default.encode/versions/canary").status == .ok)
        #expect(harness.post("/decode", "application/json", Array("{\"fingerprint\":\"f2\",\"tokens\":[1,2,3,4]}".utf8)).status == .ok)
    }
}
