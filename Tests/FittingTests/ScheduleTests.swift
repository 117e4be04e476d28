import Testing

@testable import Fitting

@Suite struct ScheduleTests {
    @Test func exponentialFallsByTheSameFactorFromEpochToEpoch() {
        let factors = (0..<40).map { Schedule(.exponential).factor(step: $0, stepsPerEpoch: 4, steps: 40) }
        #expect(factors[0] == 1 && factors[3] == 1)
        // The published code's γ = 0.05^(1/E), E = 10.
        for epoch in 1..<10 { #expect(abs(factors[4 * epoch] / factors[4 * epoch - 4] - 0.741134) < 1e-5) }
    }

    @Test func cosineRisesAndFallsToZero() {
        let schedule = Schedule(.cosine, warmup: 4)
        let factors = (0..<20).map { schedule.factor(step: $0, steps: 20) }
        #expect(factors.prefix(5) == [0.25, 0.5, 0.75, 1, 1])
        #expect(abs(factors[12] - 0.5) < 1e-6)
        #expect(zip(factors[4...], factors[5...]).allSatisfy { $0 > $1 } && factors[19] < 0.02)
    }

    @Test func constantOnlyWarmsUp() {
        #expect((0..<5).map { Schedule(.constant, warmup: 2).factor(step: $0, steps: 5) } == [0.5, 1, 1, 1, 1])
        #expect((0..<5).map { Schedule(.exponential, warmup: 2).factor(step: $0, stepsPerEpoch: 5, steps: 5) } == [0.5, 1, 1, 1, 1])
    }
}
