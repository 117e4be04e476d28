import Testing

@testable import Compute

@Suite struct ScheduleTests {
    private let schedule = Schedule(
        steps: [.init(operation: "a", pieces: [4, 3, 2, 1]), .init(operation: "b", pieces: [5]), .init(operation: "none", pieces: [])], between: 0.5)

    @Test func threadsTakeThePiecesInOrder() {
        #expect(schedule.work == 15.5)
        #expect(schedule.criticalPath == 9.5)
        #expect(schedule.milliseconds(threads: 1) == 15.5)
        // 4 and 3 begin, 2 follows 3, 1 follows 4: both are done after 5.
        #expect(schedule.milliseconds(threads: 2) == 5 + 5 + 0.5)
        #expect(schedule.milliseconds(threads: 64) == schedule.criticalPath)
        // Only what is shared is handed over.
        #expect(schedule.milliseconds(threads: 2, handover: 0.25) == 10.75)
        #expect(schedule.milliseconds(threads: 1, handover: 0.25) == 15.5)
    }

    @Test func keepsTheFasterTimeOfEachPiece() {
        var kept = schedule
        kept.keepFaster(
            Schedule(
                steps: [.init(operation: "a", pieces: [1, 9, 1, 9]), .init(operation: "b", pieces: [6]), .init(operation: "none", pieces: [])],
                between: 0.25))
        #expect(kept.steps.map(\.pieces) == [[1, 3, 1, 1], [5], []])
        #expect(kept.between == 0.25)
    }

    @Test func isOfWhatAProfileTimed() {
        let profile = ComputeProfile(timingPieces: true)
        var done = [Int]()
        var context = ComputeContext()
        (context.threads, context.profile) = (64, profile)
        // On the calling thread, one after the other, or this would not do.
        withoutActuallyEscaping({ (piece: Int) in done.append(piece) }) { note in
            context.run {
                Workers.forEach(3, operation: "outer") { piece in Workers.forEach(1, operation: "inner") { _ in note(piece) } }
                Workers.forEach(2, operation: "after") { note(3 + $0) }
            }
        }
        #expect(done == [0, 1, 2, 3, 4])
        let schedule = Schedule(profile, milliseconds: 1e6)
        #expect(schedule.steps.map(\.operation) == ["outer", "after"])
        #expect(schedule.steps.map(\.pieces.count) == [3, 2])
        #expect(abs(schedule.work - 1e6) < 1e-3)
    }
}
