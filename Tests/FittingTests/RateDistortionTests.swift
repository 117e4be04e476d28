import Testing

@testable import Fitting

@Suite struct RateDistortionTests {
    /// The method's own figures, and for one dimension the integral (`Fixtures/make_quantizer_references.py`).
    @Test(arguments: [(4, 14.0, 0.0127), (8, 16, 0.0859), (8, 18, 0.0607), (1, 5, 0.002656932662452468)])
    func zadorsErrorOfWhiteNoise(_ d: Int, _ bits: Double, _ expected: Double) {
        #expect(abs(RateDistortion.zador(d: d, rate: bits / Double(d)) / expected - 1) < 5e-3)
    }

    @Test func zadorComesDownToShannon() {
        let ratios = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 20, 24, 100, 10_000].map {
            RateDistortion.zador(d: $0, rate: 2) / RateDistortion.shannon(rate: 2)
        }
        #expect(zip(ratios, ratios.dropFirst()).allSatisfy { $0 > $1 })
        #expect(ratios.last! > 1 && ratios.last! < 1.01)
    }

    @Test func waterFillingIsTheRootThatSciPyFinds() {
        #expect(abs(RateDistortion.waterFilling(variances: [0.5, 4, 0.01, 1, 2], bits: 6) - 0.14342135623730973) < 1e-12)
        #expect(RateDistortion.waterFilling(variances: [1, 1], bits: 4) == RateDistortion.shannon(rate: 2))
        #expect(RateDistortion.waterFilling(variances: [3, 1], bits: 0) == 2)
    }
}
