import Testing

@testable import HTTPTransport

@Suite struct DeadlineQueueTests {
    @Test func takesInOrderAndOnlyWhatIsDue() {
        let start = ContinuousClock.now
        var queue = DeadlineQueue()
        let order: [UInt64] = (0..<100).map { $0 * 37 % 100 }
        for identifier in order {
            queue.insert(.init(deadline: start + .seconds(Int(identifier)), identifier: identifier))
        }
        #expect(queue.earliest == start)
        var taken: [UInt64] = []
        while let entry = queue.takeDue(at: start + .seconds(59)) {
            taken.append(entry.identifier)
        }
        #expect(taken == Array(0..<60))
        #expect(queue.earliest == start + .seconds(60))
    }
}
