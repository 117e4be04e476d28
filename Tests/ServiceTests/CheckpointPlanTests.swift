import Testing

@testable import Service

@Suite struct CheckpointPlanTests {
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
        #expect(plan.next(found) == candidate("10"))
        plan.didServe(candidate("10"))
        #expect(plan.next(found) == nil)
        #expect(plan.next(found + [candidate("11")]) == candidate("11"))
    }

    @Test func aFailureLeavesTheServedOneAndIsNotRetried() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        let found = [candidate("1"), candidate("2")]
        #expect(plan.next(found) == candidate("2"))
        plan.didFail(candidate("2"))
        #expect(plan.next(found) == nil)
        #expect(plan.next(found) == nil)
    }

    @Test func otherBytesUnderTheSameNameAreTriedAgain() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        plan.didFail(candidate("2"))
        let repaired = candidate("2", inode: 7)
        #expect(plan.next([candidate("1"), repaired]) == repaired)
    }

    /// A copy of a checkpoint may arrive before the autoencoder beside it.
    @Test func aFailureIsTriedAgainWhenWhatItSharesChanges() {
        var plan = CheckpointPlan()
        plan.didFail(candidate("1"))
        #expect(plan.next([candidate("1")]) == nil)
        #expect(plan.next([candidate("1", shared: 2)]) == candidate("1", shared: 2))
    }

    @Test func whatIsServedStaysWhenWhatItSharesChanges() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("1"))
        #expect(plan.next([candidate("1", shared: 2)]) == nil)
    }

    @Test func afterAStartTheNewestThatLoadsIsServed() {
        var plan = CheckpointPlan()
        let found = [candidate("1"), candidate("2"), candidate("3")]
        #expect(plan.next(found) == candidate("3"))
        plan.didFail(candidate("3"))
        #expect(plan.next(found) == candidate("2"))
        plan.didServe(candidate("2"))
        #expect(plan.next(found) == nil)
    }

    @Test func removingTheServedVersionGoesBackToTheOneBefore() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("2"))
        #expect(plan.next([candidate("1")]) == candidate("1"))
    }

    @Test func anEmptyFolderChangesNothing() {
        var plan = CheckpointPlan()
        plan.didServe(candidate("2"))
        #expect(plan.next([]) == nil)
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
        #expect(plan.next(both) == both[1])
    }

    @Test func aFailureThatWasRemovedIsForgotten() {
        var plan = CheckpointPlan()
        plan.didFail(candidate("2"))
        #expect(plan.next([]) == nil)
        #expect(plan.next([candidate("2")]) == candidate("2"))
    }

    @Test func modelsAreIndependent() {
        var plan = CheckpointPlan()
        let found = [candidate("5", model: "b"), candidate("1", model: "a")]
        #expect(plan.next(found) == candidate("1", model: "a"))
        plan.didFail(candidate("1", model: "a"))
        #expect(plan.next(found) == candidate("5", model: "b"))
        plan.didServe(candidate("5", model: "b"))
        #expect(plan.next(found) == nil)
    }

    @Test func versionNamesCountAsPeopleDo() {
        let ordered = ["1", "2", "10", "0011", "a", "step-9", "step-10", "step-10-b", "step-99999999999999999999999"]
        #expect(ordered.reversed().sorted { VersionName($0) < VersionName($1) } == ordered)
        #expect(!(VersionName("007") < VersionName("7")) && !(VersionName("7") < VersionName("007")))
    }
}
