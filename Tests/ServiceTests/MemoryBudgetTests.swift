import Testing

@testable import Service

@Suite struct MemoryBudgetTests {
    @Test func chargesWhileTheBodyRuns() throws {
        let budget = MemoryBudget(limitBytes: 100)
        let inside = try budget.holding(60) { budget.usedBytes }
        #expect(inside == 60)
        #expect(budget.usedBytes == 0)
    }

    @Test func refusesWhatDoesNotFitBesideTheRest() throws {
        let budget = MemoryBudget(limitBytes: 100)
        try budget.holding(60) {
            #expect(throws: MemoryExhausted(requestedBytes: 41, limitBytes: 100)) { try budget.holding(41) {} }
            #expect(budget.usedBytes == 60)
        }
        try budget.holding(100) {}
    }

    @Test func tellsWhatCanNeverFit() {
        let budget = MemoryBudget(limitBytes: 100)
        #expect(throws: MemoryExhausted(requestedBytes: Int.max, limitBytes: 100)) { try budget.holding(.max) {} }
        #expect(!MemoryExhausted(requestedBytes: 101, limitBytes: 100).isTemporary)
        #expect(MemoryExhausted(requestedBytes: 100, limitBytes: 100).isTemporary)
    }
}
