import Testing

@testable import TokenizerCore

/// A token depends on its image alone.
@Suite(.serialized) struct BatchInvarianceTests {
    @Test func tokensAndPixelsAreBitEqualForAnyBatchAndThreadCount() throws {
        let configuration = RectifierConfiguration(.vit(width: 16, depth: 2, headDimension: 8, scales: [5]), isResidual: false)
        let tokenizer = try TinyCheckpoint(rectifier: configuration).tokenizer
        let pictures = (0..<8).map { TinyCheckpoint.picture(seed: UInt64($0)) }
        let before = Workers.count
        defer { Workers.count = before }
        Workers.count = 1
        let alone = pictures.map { tokenizer.encode(PixelBatch(images: [$0])) }
        let drawn = alone.map { tokenizer.decode($0).pixels.values }
        #expect(Set(alone.map(\.indices)).count > 4, "pictures this different have different tokens")
        for threads in [1, 2, 5] {
            Workers.count = threads
            let together = tokenizer.encode(PixelBatch(images: pictures))
            #expect(together.indices == alone.flatMap(\.indices))
            #expect(tokenizer.decode(together).pixels.values == drawn.flatMap { $0 })
        }
    }
}
