import TestSupport
import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

@Suite struct LatentQualityTests {
    /// As many codes as latents leave no training error at all, which once was divided by.
    @Test func codesThatKnowTheTrainingLatentsByHeartAreAWarning() throws {
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 2, latents: 4, codebooks: 1)
        let training = Tensor([1, 2, 3, 4, -1, -2, -3, -4], shape: [2, 4])
        let quantizer = GroupQuantizer(layout, codebooks: training.reshaped([1, 2, 4]))
        let learned = LatentQuality(of: Latents(flat: training), quantizer, .none)
        let heldOut = LatentQuality(of: Latents(flat: Tensor([0, 1, 0, 1], shape: [1, 4])), quantizer, .none)
        #expect(learned.quantizedMSE == 0)
        #expect(heldOut.alarms(training: learned).contains { $0.contains("by heart") })
    }

    @Test func aRectifierThatMakesThingsWorseIsAWarning() throws {
        let shape = LatentShape(channels: 1, height: 2, width: 2)
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 2, latents: 4, codebooks: 1)
        let latents = Latents(rows: Tensor([1, 2, 3, 4, -1, -2, -3, -4], shape: [2, 4]), shape: shape)
        let quantizer = GroupQuantizer(layout, shape: shape, codebooks: Tensor(latents.rows.values.map { $0 + 0.1 }, shape: [1, 2, 4]))
        func alarms(_ configuration: RectifierConfiguration) -> [String] {
            let quality = LatentQuality(of: latents, quantizer, Rectifier(configuration, shape: shape, .random(seed: 1)))
            return quality.alarms(training: quality).filter {
                $0.contains("the rectifier makes held-out latents worse, their error rises from 0.01 to ")
            }
        }
        #expect(alarms(.none).isEmpty)
        #expect(alarms(RectifierConfiguration(.cnn(width: 4, depth: 1, rank: 2), isResidual: false)).count == 1)
    }
}
