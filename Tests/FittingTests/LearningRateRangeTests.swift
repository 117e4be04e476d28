import Testing

@testable import Fitting

@Suite struct LearningRateRangeTests {
    @Test func aRangeIsTwoRatesThatGrow() {
        #expect(LearningRateRange("1e-5:0.1").map { [$0.lowest, $0.highest] } == [1e-5, 0.1])
        for text in ["", "1", "1:2:3", "0:1", "0.1:0.1", "0.1:0.01", "0.1:2", "nan:1", "a:b", "-1:1"] {
            #expect(LearningRateRange(text) == nil, "\(text)")
        }
    }

    @Test func ratesGrowByTheSameFactor() throws {
        let range = try #require(LearningRateRange("1e-4:1"))
        let rates = (0..<5).map { range.rate(step: $0, steps: 5) }
        for (rate, expected) in zip(rates, [1e-4, 1e-3, 1e-2, 0.1, 1] as [Float]) { #expect(abs(rate / expected - 1) < 1e-5) }
    }

    @Test func theSuggestionIsATenthOfTheRateOfTheLowestLoss() {
        let curve = curve([1, 1, 1, 0.1, 0.01, 0.01, 0.02, 0.5])
        #expect(curve.points.count == 8 && !curve.isCutShort)
        let lowest = curve.points.min { $0.smoothed < $1.smoothed }!
        #expect(curve.suggestion == lowest.rate / 10)
        #expect(curve.summary.hasPrefix("the smoothed loss is lowest at 0.1: begin with --learning-rate 0.01"))
    }

    /// A lowest loss at an end says nothing about where it would have been.
    @Test func lossesThatOnlyFallOrRiseGiveNoSuggestion() {
        #expect(curve([4, 3, 2, 1]).summary == "the smoothed loss still falls at 1e-4: try higher rates")
        #expect(curve([1, 2, 3, 3]).summary == "the smoothed loss rises from 1e-7 on: try lower rates")
        #expect(curve([.nan]).summary == "the loss is no number at the lowest rate already: try lower ones")
    }

    @Test func ratesThatDivergeEndTheTest() {
        let diverged = curve([1, 0.5, 100, 1e6])
        #expect(diverged.isCutShort && diverged.points.count == 3)
        let broken = curve([1, 0.5, .infinity, 1])
        #expect(broken.isCutShort && broken.points.count == 2)
    }

    /// At 1e-7, 1e-6, …
    private func curve(_ losses: [Double]) -> LearningRateCurve {
        var (curve, rate) = (LearningRateCurve(), Float(1e-7))
        for loss in losses {
            guard curve.add(rate: rate, loss: 5 * loss, start: 5) else { break }
            rate *= 10
        }
        return curve
    }
}
