import Testing

@testable import Compute
@testable import Images

@Suite struct PixelBatchTests {
    @Test("Every byte value survives the way to floats and back")
    func roundTrip() {
        let images = [formulaImage(width: 16, height: 9), RGBImage(width: 16, height: 9, pixels: (0..<432).map { UInt8($0 & 255) })]
        let batch = PixelBatch(images: images)
        #expect(batch.pixels.shape == [2, 9, 16, 3])
        #expect(batch.count == 2)
        #expect(batch.images() == images)
    }

    @Test("Every byte is divided and centred as fp32 does it", arguments: InstructionSet.supported)
    func levels(_ set: InstructionSet) {
        for count in [256, 85, 1] {
            let bytes = (0..<3 * count).map { UInt8($0 % 256) }
            let image = RGBImage(width: count, height: 1, pixels: bytes)
            let batch = ComputeContext.with(\.instructionSet, set) { PixelBatch(images: [image]) }
            #expect(batch.pixels.values == bytes.map { Float($0) / 127.5 - 1 })
        }
    }

    @Test("0 is −1, 255 is 1, and values between bytes are rounded")
    func scale() {
        let values = PixelBatch(images: [RGBImage(width: 1, height: 1, pixels: [0, 255, 51])]).pixels.values
        #expect(values == [-1, 1, Float(51) / 127.5 - 1])
        let tensor = Tensor([-7, 7, .nan, 0.4 / 127.5 - 1, 0.6 / 127.5 - 1, 254.6 / 127.5 - 1], shape: [1, 1, 2, 3])
        #expect(PixelBatch(tensor).images() == [RGBImage(width: 2, height: 1, pixels: [0, 255, 0, 0, 1, 255])])
    }
}
