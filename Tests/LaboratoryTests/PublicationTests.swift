import Testing

@testable import Laboratory
@testable import TokenizerCore

/// What publishing warns of.
@Suite struct PublicationTests {
    @Test func goodLatentsWithBadPicturesAreAWarning() {
        func alarm(_ psnr: Double, _ error: Double) -> String? {
            CheckpointManifest.Metrics(
                psnr: psnr, vaePSNR: 25, quantizedMSE: 0.1, rectifiedMSE: error, codebookUse: 1, perplexity: 2, images: 1
            ).alarm
        }
        #expect(alarm(20.5, 0.03)?.contains("lose 4.5 dB to the tokens although the latents' error is only 0.03:") == true)
        #expect(alarm(23, 0.03) == nil && alarm(21, 0.2) == nil)
    }
}
