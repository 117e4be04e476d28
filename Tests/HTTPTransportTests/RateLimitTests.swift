import Testing

@testable import HTTPTransport

@Suite struct RateLimitTests {
    @Test func aSecondsWorthAtOnceAndThenAsTimeGoesBy() {
        let start = Transcript.start
        var limit = RateLimit(10, at: start)
        func spend(_ count: Int, after time: Duration) -> [Bool] {
            (0..<count).map { _ in limit.spend(at: start + time) }
        }
        let burst = spend(11, after: .zero)
        #expect(burst == [Bool](repeating: true, count: 10) + [false])
        let early = spend(1, after: .milliseconds(99))
        #expect(early == [false])
        let later = spend(2, after: .milliseconds(200))
        #expect(later == [true, true])
        limit.earn(2)
        let earned = spend(3, after: .milliseconds(200))
        #expect(earned == [true, true, false])
        // Rest is not saved up.
        let rested = spend(11, after: .seconds(60))
        #expect(rested.count { $0 } == 10)
    }
}
