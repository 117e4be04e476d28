import Testing

@testable import Service

extension CheckpointPlan {
    /// The version that is to be made the stable one next.
    fileprivate mutating func nextLoad(_ found: [CheckpointCandidate], at now: Instant) -> CheckpointCandidate? {
        if case .load(let candidate, as: .stable)? = next(found, at: now) { candidate } else { nil }
    }
}

@Suite struct CheckpointPlanTests {
    private let start = ContinuousClock.now

    private func candidate(_ version: String, model: String = "default", inode: UInt64 = 1, shared: UInt64 = 1) -> CheckpointCandidate {
        CheckpointCandidate(
            model: model, version: version, path: "\(model)/\(version)", files: identity("\(model)/\(version)", inode),
            shared: identity("vae", shared))
    }

    private func identity(_ name: String, _ inode: UInt64) -> FolderIdentity {
        FolderIdentity(files: [FolderIdentity.File(path: name, device: 1, inode: inode, bytes: 1, modifiedNanoseconds: 1)])
    }

    @Test func loadsTheNewestOnce() {
        var plan = CheckpointPlan()
        let found = [candidate("9"), candidate("10"), candidate("2")]
        #expect(plan.nextLoad(found, at: start) == candidate("10"))
        plan.didServe(candidate("10"))
        #expect(plan.nextLoad(found, at: start) == nil)
        #expect(plan.nextLoad(found + [candidate("11")], at: start) == candidate("11"))
    }

    @Test func aFailureLeavesTheServedOneAndIsNotRetried() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        let found = [candidate("1"), candidate("2")]
        #expect(plan.nextLoad(found, at: start) == candidate("2"))
        plan.didFail(candidate("2"), at: start)
        #expect(plan.nextLoad(found, at: start) == nil)
        #expect(plan.nextLoad(found, at: start) == nil)
    }

    @Test func otherBytesUnderTheSameNameAreTriedAgain() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        plan.didFail(candidate("2"), at: start)
        let repaired = candidate("2", inode: 7)
        #expect(plan.nextLoad([candidate("1"), repaired], at: start) == repaired)
    }

    /// What the machine lacked then it may have later: memory, file descriptors, a disk that answers.
    @Test func anUnchangedFailureIsTriedAgainSeldom() {
        var plan = CheckpointPlan()
        var now = start
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            plan.didFail(candidate("1"), at: now)
            let next = now + .seconds(60 * minutes)
            #expect(plan.nextLoad([candidate("1")], at: next - .nanoseconds(1)) == nil)
            #expect(plan.nextLoad([candidate("1")], at: next) == candidate("1"))
            now = next
        }
    }

    /// As while it is copied file by file.
    @Test func aFailureThatChangesAtEveryLookIsTriedAgainLessAndLessOften() {
        var plan = CheckpointPlan()
        var now = start
        for (attempt, seconds) in [0, 1, 2, 4, 8, 16, 32, 64, 64].enumerated() {
            plan.didFail(candidate("1", inode: UInt64(2 * attempt)), at: now)
            let changed = candidate("1", inode: UInt64(2 * attempt + 1))
            let next = now + .seconds(seconds)
            if seconds > 0 { #expect(plan.nextLoad([changed], at: next - .nanoseconds(1)) == nil) }
            #expect(plan.nextLoad([changed], at: next) == changed)
            now = next
        }
        plan.didServe(candidate("1", inode: 99))
        plan.didFail(candidate("1", inode: 100), at: now)
        #expect(plan.nextLoad([candidate("1", inode: 101)], at: now) == candidate("1", inode: 101))
    }

    /// A copy of a checkpoint may arrive before the autoencoder beside it.
    @Test func aFailureIsTriedAgainWhenWhatItSharesChanges() {
        var plan = CheckpointPlan()
        plan.didFail(candidate("1"), at: start)
        #expect(plan.nextLoad([candidate("1")], at: start) == nil)
        #expect(plan.nextLoad([candidate("1", shared: 2)], at: start) == candidate("1", shared: 2))
    }

    @Test func whatIsServedStaysWhenWhatItSharesChanges() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        #expect(plan.nextLoad([candidate("1", shared: 2)], at: start) == nil)
    }

    @Test func afterAStartTheNewestThatLoadsIsServed() {
        var plan = CheckpointPlan()
        let found = [candidate("1"), candidate("2"), candidate("3")]
        #expect(plan.nextLoad(found, at: start) == candidate("3"))
        plan.didFail(candidate("3"), at: start)
        #expect(plan.nextLoad(found, at: start) == candidate("2"))
        plan.didServe(candidate("2"))
        #expect(plan.nextLoad(found, at: start) == nil)
    }

    @Test func removingTheServedVersionGoesBackToTheOneBefore() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("2"))
        #expect(plan.nextLoad([candidate("1")], at: start) == candidate("1"))
    }

    @Test func anEmptyFolderChangesNothing() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("2"))
        #expect(plan.nextLoad([], at: start) == nil)
    }

    @Test func aModelThatIsMissingTwiceInARowIsWithdrawn() {
        var plan = CheckpointPlan()
        let both = [candidate("1", model: "a"), candidate("1", model: "b")]
        for candidate in both { plan.didServe(candidate) }
        #expect(plan.withdraw(both) == [])
        #expect(plan.withdraw([both[0]]) == [])
        #expect(plan.withdraw(both) == [])
        #expect(plan.withdraw([both[0]]) == [])
        #expect(plan.withdraw([both[0]]) == ["b"])
        #expect(plan.withdraw([both[0]]) == [])
        #expect(plan.nextLoad(both, at: start) == both[1])
    }

    @Test func aFailureThatWasRemovedIsForgotten() {
        var plan = CheckpointPlan()
        plan.didFail(candidate("2"), at: start)
        #expect(plan.nextLoad([], at: start) == nil)
        #expect(plan.nextLoad([candidate("2")], at: start) == candidate("2"))
    }

    @Test func modelsAreIndependent() {
        var plan = CheckpointPlan()
        let found = [candidate("5", model: "b"), candidate("1", model: "a")]
        #expect(plan.nextLoad(found, at: start) == candidate("1", model: "a"))
        plan.didFail(candidate("1", model: "a"), at: start)
        #expect(plan.nextLoad(found, at: start) == candidate("5", model: "b"))
        plan.didServe(candidate("5", model: "b"))
        #expect(plan.nextLoad(found, at: start) == nil)
    }

    @Test func versionNamesCountAsPeopleDo() {
        let ordered = ["1", "2", "10", "0011", "a", "step-9", "step-10", "step-10-b", "step-99999999999999999999999"]
        #expect(ordered.reversed().sorted { VersionName($0) < VersionName($1) } == ordered)
        #expect(!(VersionName("007") < VersionName("7")) && !(VersionName("7") < VersionName("007")))
    }

    // MARK: Trials

    private func tried(_ served: String, _ canary: String) -> CheckpointPlan {
        var plan = CheckpointPlan(hasTrials: true)
        plan.didServe(candidate(served))
        plan.didServe(candidate(canary), as: .canary)
        return plan
    }

    @Test func whatIsNewerThanTheServedOneIsTriedOutFirst() {
        var plan = CheckpointPlan(hasTrials: true)
        let found = [candidate("1"), candidate("2")]
        #expect(plan.next([found[0]], at: start) == .load(found[0], as: .stable))
        plan.didServe(found[0])
        #expect(plan.next(found, at: start) == .load(found[1], as: .canary))
        plan.didServe(found[1], as: .canary)
        #expect(plan.next(found, at: start) == nil)
        #expect(plan.next(found + [candidate("3")], at: start) == .load(candidate("3"), as: .canary))
    }

    @Test func aCanaryThatIsPromotedIsTheServedOne() {
        var plan = tried("1", "2")
        plan.didDecide(of: "default", isPromoted: true)
        #expect(plan.next([candidate("1"), candidate("2")], at: start) == nil)
        #expect(plan.next([candidate("1")], at: start) == .load(candidate("1"), as: .stable))
    }

    @Test func aCanaryThatIsRolledBackIsTriedAgainWithOtherFilesOnly() {
        var plan = tried("1", "2")
        plan.didDecide(of: "default", isPromoted: false)
        #expect(plan.next([candidate("1"), candidate("2")], at: start) == nil)
        let changed = candidate("2", inode: 9)
        #expect(plan.next([candidate("1"), changed], at: start) == .load(changed, as: .canary))
    }

    @Test func aTrialEndsWhenItsVersionIsRemoved() {
        var plan = tried("1", "2")
        #expect(plan.next([candidate("1")], at: start) == .endTrial(of: "default"))
        plan.didEndTrial(of: "default")
        #expect(plan.next([candidate("1")], at: start) == nil)
    }

    /// Nothing is left to compare with.
    @Test func whatTakesThePlaceOfARemovedVersionIsServedAtOnce() {
        var plan = CheckpointPlan(hasTrials: true)
        plan.didServe(candidate("1"))
        #expect(plan.next([candidate("2")], at: start) == .load(candidate("2"), as: .stable))
        plan = tried("1", "2")
        #expect(plan.next([candidate("2")], at: start) == .endTrial(of: "default"))
        plan.didEndTrial(of: "default")
        #expect(plan.next([candidate("2")], at: start) == .load(candidate("2"), as: .stable))
    }

    // MARK: Orders

    @Test func rollingBackServesTheOneBeforeUntilThereIsANewerOne() throws {
        var plan = CheckpointPlan()
        let found = [candidate("1"), candidate("2")]
        plan.didServe(found[1])
        try plan.rollBack("default", found)
        #expect(!plan.wants(found[1]) && plan.wants(found[0]))
        #expect(plan.nextLoad(found, at: start) == found[0])
        plan.didServe(found[0])
        #expect(plan.next(found, at: start) == nil)
        #expect(plan.nextLoad(found + [candidate("3")], at: start) == candidate("3"))
        #expect(plan["default"].refused.keys.sorted() == ["default/2"])
        #expect(plan.next([found[0]], at: start) == nil)
        #expect(plan["default"].refused.isEmpty)
    }

    @Test func thereMustBeSomethingToRollBackTo() {
        var plan = CheckpointPlan()
        let found = [candidate("1"), candidate("2")]
        #expect(throws: ModelError.unknown("default", served: [])) { try plan.rollBack("default", []) }
        #expect(throws: ModelError.conflict("no version of \"default\" is served")) { try plan.rollBack("default", found) }
        plan.didServe(found[0])
        #expect(throws: ModelError.conflict("there is no other version of \"default\" to go back to")) { try plan.rollBack("default", [found[0]]) }
        #expect(plan.wants(found[0]))
    }

    @Test func aPinnedVersionIsServedWhateverIsNewer() throws {
        var plan = CheckpointPlan(hasTrials: true)
        let found = [candidate("000001"), candidate("000002"), candidate("000003")]
        plan.didServe(found[2])
        try plan.rollBack("default", found)
        try plan.pin("default", to: "3", found)
        #expect(plan["default"].refused.isEmpty && plan.next(found, at: start) == nil)
        try plan.pin("default", to: "1", found)
        #expect(plan.nextLoad(found, at: start) == found[0])
        plan.didServe(found[0])
        #expect(plan.next(found + [candidate("000004")], at: start) == nil)
        #expect(throws: ModelError.conflict("\"default\" is pinned to a version; unpin it first")) { try plan.rollBack("default", found) }
        #expect(throws: ModelError.unknownVersion("7", of: "default", known: found.map(\.version))) { try plan.pin("default", to: "7", found) }
        try plan.unpin("default", found)
        #expect(plan.next(found, at: start) == .load(found[2], as: .canary))
    }

    @Test func aPinEndsATrial() throws {
        var plan = tried("1", "2")
        let found = [candidate("1"), candidate("2")]
        try plan.pin("default", to: "2", found)
        #expect(plan.next(found, at: start) == .endTrial(of: "default"))
        plan.didEndTrial(of: "default")
        #expect(plan.nextLoad(found, at: start) == found[1])
    }

    @Test func anUnloadedModelStaysSoUntilItIsLoaded() throws {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        try plan.unload("default", version: nil, [candidate("1")])
        #expect(plan.next([candidate("1")], at: start) == .remove("default"))
        plan.didRemove("default")
        #expect(plan.next([candidate("1"), candidate("2")], at: start) == nil)
        try plan.load("default", version: nil, [candidate("1"), candidate("2")])
        #expect(plan.nextLoad([candidate("1"), candidate("2")], at: start) == candidate("2"))
    }

    @Test func aVersionIsUnloadedUnlessItIsTheStableOne() throws {
        var plan = tried("1", "2")
        let found = [candidate("1"), candidate("2")]
        #expect(throws: ModelError.conflict("version 1 is the stable one; roll back, or pin another one first")) {
            try plan.unload("default", version: "1", found)
        }
        try plan.unload("default", version: "2", found)
        #expect(plan.next(found, at: start) == .unload(found[1]))
        plan.didUnload(found[1])
        #expect(plan.next(found, at: start) == nil)
        try plan.load("default", version: "2", found)
        #expect(plan.next(found, at: start) == .load(found[1], as: .canary))
    }

    @Test func whatHasFailedIsTriedAgainWhenOrdered() {
        var plan = CheckpointPlan()
        plan.didFail(candidate("1"), at: start)
        #expect(plan.next([candidate("1")], at: start) == nil)
        plan.retry()
        #expect(plan.nextLoad([candidate("1")], at: start) == candidate("1"))
    }
}
