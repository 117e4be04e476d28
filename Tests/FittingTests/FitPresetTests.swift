import Testing

@testable import Files
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

@Suite struct FitPresetTests {
    /// The paper's table: bits per image, and millions of rectifier parameters on its 32×8×8 latents.
    @Test(arguments: [(FitPreset.tokens512, 7168.0, 14.07), (.tokens256Base, 4096, 72.97), (.tokens256Large, 4608, 18.66)])
    func presetsAreThePapers(_ preset: FitPreset, _ bits: Double, _ parameters: Double) throws {
        let options = preset.options(latents: "latents")
        let shape = LatentShape(channels: 32, height: 8, width: 8)
        let layout = try options.quantizer.layout(for: shape)
        #expect(layout.bits == bits && layout.codebooks == layout.tokens && layout.grouping == nil)
        let rectifier = Rectifier(options.rectifier, shape: shape, .placeholder)
        let count = rectifier.tensors.reduce(0) { $0 + $1.tensor.count }
        #expect(abs(Double(count) / 1e6 - parameters) < 0.005)
        var ours = options
        ours.change(method: .lloyd)
        #expect(ours.method == .lloyd && ours.passes == 20 && ours.reset == .distortion && ours.rectifier == options.rectifier)
        #expect(options.method == .adam && options.reset == .code && options.epochs == 100 && options.learningRate == 0.01)
    }

    /// What a run's folder says about its options is for people, too.
    @Test(arguments: [
        RectifierConfiguration.Network.identity, .vit(width: 8, depth: 1, headDimension: 8, scales: [5]), .mlp(width: 8, depth: 1),
        .cnn(width: 8, depth: 1, rank: 2), .linear(reach: .image), .linear(reach: .neighbourhood(size: 3)),
    ])
    func optionsAreWrittenByTheirNames(network: RectifierConfiguration.Network) {
        for grouping in [Grouping.strip, .block(height: 2, width: 2), .spatial, .klt(side: 2)] {
            let quantizer = QuantizerOptions(tokens: 512, codes: 1024, grouping: grouping)
            let options = QuantizerRun.Options(latents: "x", quantizer: quantizer, rectifier: RectifierConfiguration(network, isResidual: true))
            let text = String(decoding: JSONFile.bytes(options), as: UTF8.self)
            #expect(!text.contains("\"_"), "\(text)")
        }
    }
}
