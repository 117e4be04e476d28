import Testing

@testable import Service

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
        #expect(plan.next(found, at: start) == candidate("10"))
        plan.didServe(candidate("10"))
        #expect(plan.next(found, at: start) == nil)
        #expect(plan.next(found + [candidate("11")], at: start) == candidate("11"))
    }

    @Test func aFailureLeavesTheServedOneAndIsNotRetried() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        let found = [candidate("1"), candidate("2")]
        #expect(plan.next(found, at: start) == candidate("2"))
        plan.didFail(candidate("2"), at: start)
        #expect(plan.next(found, at: start) == nil)
        #expect(plan.next(found, at: start) == nil)
    }

    @Test func otherBytesUnderTheSameNameAreTriedAgain() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        plan.didFail(candidate("2"), at: start)
        let repaired = candidate("2", inode: 7)
        #expect(plan.next([candidate("1"), repaired], at: start) == repaired)
    }

    /// What the machine lacked then it may have later: memory, file descriptors, a disk that answers.
    @Test func anUnchangedFailureIsTriedAgainSeldom() {
        var plan = CheckpointPlan()
        var now = start
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            plan.didFail(candidate("1"), at: now)
            let next = now + .seconds(60 * minutes)
            #expect(plan.next([candidate("1")], at: next - .nanoseconds(1)) == nil)
            #expect(plan.next([candidate("1")], at: next) == candidate("1"))
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
            if seconds > 0 { #expect(plan.next([changed], at: next - .nanoseconds(1)) == nil) }
            #expect(plan.next([changed], at: next) == changed)
            now = next
        }
        plan.didServe(candidate("1", inode: 99))
        plan.didFail(candidate("1", inode: 100), at: now)
        #expect(plan.next([candidate("1", inode: 101)], at: now) == candidate("1", inode: 101))
    }

    /// A copy of a checkpoint may arrive before the autoencoder beside it.
    @Test func aFailureIsTriedAgainWhenWhatItSharesChanges() {
        var plan = CheckpointPlan()
        plan.didFail(candidate("1"), at: start)
        #expect(plan.next([candidate("1")], at: start) == nil)
        #expect(plan.next([candidate("1", shared: 2)], at: start) == candidate("1", shared: 2))
    }

    @Test func whatIsServedStaysWhenWhatItSharesChanges() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        #expect(plan.next([candidate("1", shared: 2)], at: start) == nil)
    }

    @Test func afterAStartTheNewestThatLoadsIsServed() {
        var plan = CheckpointPlan()
        let found = [candidate("1"), candidate("2"), candidate("3")]
        #expect(plan.next(found, at: start) == candidate("3"))
        plan.didFail(candidate("3"), at: start)
        #expect(plan.next(found, at: start) == candidate("2"))
        plan.didServe(candidate("2"))
        #expect(plan.next(found, at: start) == nil)
    }

    @Test func removingTheServedVersionGoesBackToTheOneBefore() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("2"))
        #expect(plan.next([candidate("1")], at: start) == candidate("1"))
    }

    @Test func anEmptyFolderChangesNothing() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("2"))
        #expect(plan.next([], at: start) == nil)
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
        #expect(plan.next(both, at: start) == both[1])
    }

    @Test func aFailureThatWasRemovedIsForgotten() {
        var plan = CheckpointPlan()
        plan.didFail(candidate("2"), at: start)
        #expect(plan.next([], at: start) == nil)
        #expect(plan.next([candidate("2")], at: start) == candidate("2"))
    }

    @Test func modelsAreIndependent() {
        var plan = CheckpointPlan()
        let found = [candidate("5", model: "b"), candidate("1", model: "a")]
        #expect(plan.next(found, at: start) == candidate("1", model: "a"))
        plan.didFail(candidate("1", model: "a"), at: start)
        #expect(plan.next(found, at: start) == candidate("5", model: "b"))
        plan.didServe(candidate("5", model: "b"))
        #expect(plan.next(found, at: start) == nil)
    }

    @Test func versionNamesCountAsPeopleDo() {
        let ordered = ["1", "2", "10", "0011", "a", "step-9", "step-10", "step-10-b", "step-99999999999999999999999"]
        #expect(ordered.reversed().sorted { VersionName($0) < VersionName($1) } == ordered)
        #expect(!(VersionName("007") < VersionName("7")) && !(VersionName("7") < VersionName("007")))
    }
}
