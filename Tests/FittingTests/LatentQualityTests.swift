import Testing

@testable import Compute
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

@Suite struct LatentQualityTests {
    /// As many codes as latents leave no training error at all, which once was divided by.
    @Test func codesThatKnowTheTrainingLatentsByHeartAreAWarning() throws {
        let shape = LatentShape(channels: 1, height: 1, width: 4)
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 2, latents: 4, codebooks: 1)
        let training = Tensor([1, 2, 3, 4, -1, -2, -3, -4], shape: [2, 4])
        let quantizer = GroupQuantizer(layout, codebooks: training.reshaped([1, 2, 4]))
        let identity = Rectifier(RectifierConfiguration(.identity, isResidual: false), shape: shape, .placeholder)
        let learned = LatentQuality(of: training, quantizer, identity, shape: shape)
        let heldOut = LatentQuality(of: Tensor([0, 1, 0, 1], shape: [1, 4]), quantizer, identity, shape: shape)
        #expect(learned.quantizedMSE == 0)
        #expect(heldOut.alarms(training: learned).contains { $0.contains("by heart") })
    }

    @Test func aRectifierThatMakesThingsWorseIsAWarning() throws {
        let shape = LatentShape(channels: 1, height: 2, width: 2)
        let layout = try GroupQuantizer.Layout(tokens: 1, codes: 2, latents: 4, codebooks: 1)
        let latents = Tensor([1, 2, 3, 4, -1, -2, -3, -4], shape: [2, 4])
        let quantizer = GroupQuantizer(layout, codebooks: Tensor(latents.values.map { $0 + 0.1 }, shape: [1, 2, 4]))
        func alarms(_ configuration: RectifierConfiguration) -> [String] {
            let quality = LatentQuality(of: latents, quantizer, Rectifier(configuration, shape: shape, .random(seed: 1)), shape: shape)
            return quality.alarms(training: quality).filter { $0.contains("the rectifier makes held-out latents worse, their error rises from 0.01 to ") }
        }
        #expect(alarms(.none).isEmpty)
        #expect(alarms(RectifierConfiguration(.cnn(width: 4, depth: 1, rank: 2), isResidual: false)).count == 1)
    }
}
