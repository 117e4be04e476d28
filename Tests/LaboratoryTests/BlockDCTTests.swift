import Testing

@testable import Images
@testable import Laboratory

@Suite struct BlockDCTTests {
    private func picture(_ value: (_ y: Int, _ x: Int) -> (Double, Double, Double)) -> RGBImage {
        var pixels: [UInt8] = []
        for y in 0..<32 {
            for x in 0..<32 {
                let (r, g, b) = value(y, x)
                pixels += [UInt8(r), UInt8(g), UInt8(b)]
            }
        }
        return RGBImage(width: 32, height: 32, pixels: pixels)
    }

    @Test func keepsFlatColoursAndSlowWaves() {
        let flat = picture { y, _ in y < 16 ? (200, 30, 90) : (10, 20, 250) }
        #expect(BlockDCT.lowestCoefficients(of: flat) == flat)
        let wave = picture { y, x in
            let value = (128 + 60 * cosine(x % 16, 1) + 30 * cosine(y % 16, 2)).rounded()
            return (value, value, value)
        }
        #expect(PeakSignalToNoise.decibels(BlockDCT.lowestCoefficients(of: wave), wave) > 45)
    }

    @Test func losesFastWaves() {
        let stripes = picture { _, x in x % 2 == 0 ? (100, 100, 100) : (150, 150, 150) }
        let drawn = BlockDCT.lowestCoefficients(of: stripes)
        // Alternating columns overlap with the slowest odd cosine by 1/16 of their height; the other 24 of 25 levels are gone.
        #expect(drawn.pixels.allSatisfy { (121...129).contains($0) })
    }

    /// cos(π (x + ½) f / 16), by the recurrence of Chebyshev polynomials so that the test does not share the code's formula.
    private func cosine(_ x: Int, _ frequency: Int) -> Double {
        let first = [
            0.9951847266721969, 0.9569403357322088, 0.881921264348355, 0.773010453362737, 0.6343932841636455, 0.47139673682599764,
            0.2902846772544623, 0.09801714032956077,
        ]
        let one = x < 8 ? first[x] : -first[15 - x]
        return frequency == 1 ? one : 2 * one * one - 1
    }
}
