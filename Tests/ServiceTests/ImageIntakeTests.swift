import Testing

@testable import HTTPTransport
@testable import Images
@testable import Service

/// A picture ends where its time does, or where nobody waits for it.
@Suite struct ImageIntakeTests {
    private func intake(_ limits: ImageLimits) -> ImageIntake { ImageIntake(limits: limits, memory: MemoryBudget(limitBytes: 1 << 24)) }

    private let size = PictureSize(height: 32, width: 32)!

    private func picture() -> ArraySlice<UInt8> {
        PNGEncoder.encode(RGBImage(width: 64, height: 64, pixels: [UInt8](repeating: 9, count: 64 * 64 * 3)))[...]
    }

    @Test func aPictureThatTakesTooLongIsRefused() throws {
        var limits = ImageLimits()
        (limits.maxProcessorTime, limits.maxProcessorTimePerMegapixel) = (.zero, .zero)
        let problem = #expect(throws: Problem.self) { _ = try intake(limits).picture(of: picture(), size: size) { true } }
        #expect(problem?.code == .imageTooLarge)
        #expect(problem?.detail.hasPrefix("decoding the 64×64 image takes more than ") == true)
    }

    @Test func aPictureThatTakesTooMuchMemoryIsRefusedByItsHeader() throws {
        let problem = #expect(throws: Problem.self) {
            _ = try intake(ImageLimits(maxDecodedBytes: 1_000)).picture(of: picture(), size: size) {
                Issue.record("decoding has begun")
                return false
            }
        }
        #expect(problem?.code == .imageTooLarge)
        #expect(problem?.detail.hasPrefix("decoding the 64×64 image takes ") == true)
        #expect(problem?.detail.hasSuffix(" bytes: at most 1000 are allowed") == true)
    }

    @Test func aClientThatHasGoneEndsTheDecoding() throws {
        var asked = 0
        #expect(throws: Problem.self) {
            _ = try intake(ImageLimits()).picture(of: picture(), size: size) {
                asked += 1
                return asked < 3
            }
        }
        // Once more to see whose fault it was.
        #expect(asked == 4)
    }

    @Test func aPictureInTimeIsDecoded() throws {
        #expect(try intake(ImageLimits()).picture(of: picture(), size: size) { true }.pixels.allSatisfy { $0 == 9 })
    }
}
