import TestSupport
import Testing

@testable import Compute
@testable import Images
@testable import Networks
@testable import TokenizerCore

/// A token depends on its image alone.
@Suite struct BatchInvarianceTests {
    @Test(arguments: [1, 4])
    func tokensAndPixelsAreBitEqualForAnyBatchAndThreadCount(stages: Int) throws {
        let configuration = RectifierConfiguration(.vit(width: 16, depth: 2, headDimension: 8, scales: [5]), isResidual: false)
        let tokenizer = try TinyCheckpoint(rectifier: configuration, stages: stages).tokenizer
        let pictures = (0..<8).map { TinyCheckpoint.picture(seed: UInt64($0)) }
        let (alone, drawn) = ComputeContext.with(\.threads, 1) {
            let alone = pictures.map { tokenizer.encode(PixelBatch(images: [$0])) }
            return (alone, alone.map { tokenizer.draw($0).pixels.values })
        }
        #expect(Set(alone.map(\.indices)).count > 4, "pictures this different have different tokens")
        for threads in [1, 2, 5] {
            ComputeContext.with(\.threads, threads) {
                let together = tokenizer.encode(PixelBatch(images: pictures))
                #expect(together.indices == alone.flatMap(\.indices))
                #expect(tokenizer.draw(together).pixels.values == drawn.flatMap { $0 })
            }
        }
    }

    /// Where memory is short a batch is computed in parts, with the same results; a single image that does not fit is refused.
    @Test func shortMemoryChangesNoBit() throws {
        let checkpoint = try TinyCheckpoint()
        let pictures = PixelBatch(images: (0..<5).map { TinyCheckpoint.picture(seed: UInt64($0)) })
        let memory = AutoencoderMemory(try AutoencoderConfiguration(contentsOf: Fixture.path("dcae_sana/config.json")))
        let two = MemoryLimit(bytes: memory.peakBytes(imageSize: TinyCheckpoint.imageSize, batch: 2))
        let (whole, parts) = (try checkpoint.tokenizer, try VisualTokenizer.load(from: checkpoint.directory, within: two))
        #expect(parts.largestBatch == 2)
        let tokens = whole.encode(pictures)
        #expect(parts.encode(pictures) == tokens)
        #expect(parts.draw(tokens).pixels.values == whole.draw(tokens).pixels.values)
        let error = #expect(throws: CheckpointError.self) {
            try VisualTokenizer.load(from: checkpoint.directory, within: MemoryLimit(bytes: 1 << 20))
        }
        #expect(error?.reason.contains("an image of 128×128 pixels would take") == true)
    }
}
