import Testing

@testable import Laboratory
@testable import Pictures

@Suite struct DCTBaselineTests {
    private let pictures = (0..<3).map { ProceduralImages(seed: 4, side: 64).image(at: $0) }

    @Test func transformIsOrthonormalAndReversible() {
        for side in [16, 64] {
            let transform = BlockTransform(side: side)
            let coefficients = transform.coefficients(of: pictures[0])
            let energy = pictures[0].pixels.reduce(0.0) { $0 + (Double($1) - 128) * (Double($1) - 128) }
            #expect(abs(coefficients.sumOfSquares / energy - 1) < 1e-5)
            #expect(transform.picture(of: coefficients) == pictures[0])
        }
    }

    @Test func bandsHoldEveryCoefficientOnce() {
        let bands = DCTBands(of: pictures, side: 16)
        #expect(bands.bands.flatMap(\.places).sorted() == Array(0..<3 * 64 * 64))
        #expect(bands.blocks == 16)
        #expect(bands.picture(1, from: bands.values) == pictures[1])
        #expect(bands.bands.allSatisfy { $0.places.count == $0.perBlock * 16 })
    }

    @Test func scalarQuantizersAreOptimalForFlatNumbers() {
        let numbers = (0..<4096).map { Float($0) / 4096 }
        let sums = numbers.reduce(into: [0.0]) { $0.append($0[$0.count - 1] + Double($1)) }
        let squares = numbers.reduce(into: [0.0]) { $0.append($0[$0.count - 1] + Double($1) * Double($1)) }
        let quantizer = ScalarQuantizer(numbers, sums: sums, squares: squares, bits: 2)
        for (level, expected) in zip(quantizer.levels, [0.125, 0.375, 0.625, 0.875]) { #expect(abs(Double(level) - expected) < 1e-3) }
        #expect(abs(quantizer.distortion / 4096 * 192 - 1) < 1e-3, "a width of 1/4 leaves 1/(12 · 16)")
        #expect(quantizer(0.3) == quantizer.levels[1] && quantizer(-1) == quantizer.levels[0] && quantizer(2) == quantizer.levels[3])
    }

    @Test func moreBitsDrawBetterPicturesAndNoneAreOverspent() {
        let few = DCTBaseline.all(pictures, bits: 500)
        let many = DCTBaseline.all(pictures, bits: 2000)
        #expect(few.map(\.side) == [16, 16, 32, 32, 64, 64])
        #expect(few.allSatisfy { $0.bits <= 500 } && many.allSatisfy { $0.bits <= 2000 && $0.bits > 1900 })
        #expect(zip(few, many).allSatisfy { $0.psnr < $1.psnr })
        // To the last digit, though tables of levels have no order of their own.
        for _ in 0..<8 { #expect(DCTBaseline.all(pictures, bits: 500) == few) }
    }
}
