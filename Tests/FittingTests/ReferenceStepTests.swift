import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Networks
@testable import TokenizerCore

/// The whole latent path against PyTorch: normalise, quantise, rectify, one training step.
@Suite struct ReferenceStepTests {
    private let shape = LatentShape(channels: 4, height: 4, width: 4)
    private let layout: GroupQuantizer.Layout
    private let normalizer: LatentNormalizer
    private let quantizer: GroupQuantizer
    private let rectifier: Rectifier

    init() throws {
        layout = try GroupQuantizer.Layout(tokens: 16, codes: 48, latents: 64, codebooks: 16)
        let preprocessor = try SafetensorsFile(Fixture.path("revq/preprocessor.safetensors"))
        normalizer = LatentNormalizer(mean: try preprocessor.tensor("mean"), deviation: try preprocessor.tensor("std"), shape: shape)
        let codes = try SafetensorsFile(Fixture.path("revq/quantizer.safetensors"))
        quantizer = GroupQuantizer(layout, shape: shape, codebooks: try codes.tensor("embeddings"))
        let configuration = RectifierConfiguration(.vit(width: 16, depth: 3, headDimension: 8, scales: [5]), isResidual: false)
        var rectifier = Rectifier(configuration, shape: shape, .placeholder)
        try rectifier.load(from: SafetensorsFile(Fixture.path("revq/decoder.safetensors")))
        self.rectifier = rectifier
    }

    @Test func tokenizesAndRectifiesLikeTheReference() throws {
        let latent = try Fixture.featureMap("revq/latent.npy")
        let normalized = normalizer.normalize(Latents(latent))
        #expect(normalized.map.relativeError(to: try Fixture.featureMap("revq/latent_norm.npy")) < 1e-6)
        let tokens = quantizer.tokens(normalized)
        #expect(tokens.indices.map(Int64.init) == (try Fixture.array("revq/indices.npy").integers))
        let quantized = quantizer.latents(tokens)
        #expect(quantized.map.values == (try Fixture.featureMap("revq/quantised.npy").values))
        let rectified = rectifier(quantized)
        #expect(rectified.map.relativeError(to: try Fixture.featureMap("revq/rectified.npy")) < 1e-5)
        let vae = try Autoencoder(directory: Fixture.path("dcae_sana"))
        let pixels = vae.decoder(normalizer.restore(rectified).map)
        #expect(pixels.relativeError(to: try Fixture.featureMap("revq/recon.npy")) < 1e-5)
    }

    @Test func oneTrainingStepMovesEveryParameterLikePyTorch() throws {
        let batch = try Fixture.featureMap("revq/step_batch_norm.npy")
        let vectors = quantizer.vectors(Latents(batch))
        let tokens = quantizer.tokens(ofVectors: vectors)
        #expect(tokens.indices.map(Int64.init) == (try Fixture.array("revq/step_indices.npy").integers))
        let gradients = try SafetensorsFile(Fixture.path("revq/step_grads.safetensors"))

        let quantized = quantizer.latents(tokens)
        let (codeLoss, dcodes) = SquaredError.loss(quantizer.codes(tokens), vectors)
        let codeGradient = CodeGradient(layout, dcodes, at: tokens)
        #expect(abs(codeLoss - 0.3058677613735199) < 1e-6)
        #expect(codeGradient.dense.relativeError(to: try gradients.tensor("q.embeddings")) < 1e-4)

        var kept = Tape.keeping
        let rectified = rectifier.forward(quantized.map, keeping: &kept)
        let (_, dy) = SquaredError.loss(rectified, batch)
        var rectifierGradient = rectifier.zeroed()
        _ = rectifier.backward(dy, from: &kept, into: &rectifierGradient)
        #expect(kept.isEmpty)
        for (path, _, tensor) in rectifierGradient.tensors {
            #expect(tensor.relativeError(to: try gradients.tensor("r." + path)) < 1e-4, "\(path)")
        }

        let after = try SafetensorsFile(Fixture.path("revq/step_after.safetensors"))
        var (quantizer, rectifier) = (quantizer, rectifier)
        var (codeOptimizer, rectifierOptimizer) = (AdamW(weightDecay: 0), AdamW(weightDecay: 1e-4))
        codeOptimizer.update(
            &quantizer, gradient: codeGradient, learningRate: 1e-2, scale: GradientClipping.factor(norm: codeGradient.norm, limit: 1))
        rectifierOptimizer.update(
            &rectifier, gradient: rectifierGradient, learningRate: 5e-4,
            scale: GradientClipping.factor(norm: rectifierGradient.gradientNorm, limit: 1))
        #expect(quantizer.codebooks.relativeError(to: try after.tensor("q.embeddings")) < 1e-4)
        for (path, _, tensor) in rectifier.tensors {
            #expect(tensor.relativeError(to: try after.tensor("r." + path)) < 1e-4, "\(path)")
        }
    }
}
