import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Networks

/// Backward passes of whole autoencoders against PyTorch: every kind of layer that a DC-AE has, in training mode.
@Suite struct AutoencoderGradientTests {
    /// A chain of some thirty layers in float32; PyTorch's own float32 gradients differ from its float64 ones by as much as 3e-5.
    private static let tolerance = 1e-4

    @Test(arguments: ["dcae_sana", "dcae_in"], InstructionSet.supported)
    func everyGradientIsPyTorchs(_ name: String, set: InstructionSet) throws {
        try ComputeContext.with(\.instructionSet, set) { try compareGradients(name) }
    }

    private func compareGradients(_ name: String) throws {
        let model = try Autoencoder(directory: Fixture.path(name))
        let reference = try SafetensorsFile(Fixture.path("\(name)/gradients.safetensors"))
        let pixels = try Fixture.pixels("\(name)/a64_image_u8.npy")
        var kept = Tape.keeping
        let output = model.forward(pixels, keeping: &kept)
        let (_, dy) = SquaredError.loss(output, pixels)
        var gradient = model.zeroed()
        let dx = model.backward(dy, from: &kept, into: &gradient)
        #expect(kept.isEmpty)
        #expect(dx.relativeError(to: try reference.tensor("input")) < Self.tolerance)
        for (path, role, tensor) in gradient.tensors where role == .learned {
            #expect(tensor.relativeError(to: try reference.tensor(path)) < Self.tolerance, "\(path)")
        }
    }

    @Test func batchStatisticsReachTheRunningOnesLikePyTorchs() throws {
        var model = try Autoencoder(directory: Fixture.path("dcae_in"))
        let reference = try SafetensorsFile(Fixture.path("dcae_in/gradients.safetensors"))
        let pixels = try Fixture.pixels("dcae_in/a64_image_u8.npy")
        var kept = Tape.keeping
        let (_, dy) = SquaredError.loss(model.forward(pixels, keeping: &kept), pixels)
        var gradient = model.zeroed()
        _ = model.backward(dy, from: &kept, into: &gradient)
        var optimizer = AdamW(weightDecay: 0)
        optimizer.update(&model, gradient: gradient, learningRate: 0)
        let measured = model.tensors.filter { $0.role == .measured }
        #expect(!measured.isEmpty)
        for (path, _, tensor) in measured {
            #expect(tensor.relativeError(to: try reference.tensor("running/" + path)) < Self.tolerance, "\(path)")
        }
    }

    /// What has no counterpart in PyTorch's models is held against differences: the loss a little to both sides of a parameter.
    @Test func patchSkipGradientsAreSlopes() throws {
        let configuration = try AutoencoderConfiguration(contentsOf: Fixture.path("dcae_in/config.json"))
        var network = try #require(configuration.family as? DCAEConfiguration)
        network.hasEncoderShortcut = false
        var model = Autoencoder(AutoencoderConfiguration(PatchCodeConfiguration(network: network, refiner: nil)), .random(seed: 5))
        // The corrections start at zero, where half of the gradients vanish; move away from there.
        var random = RandomSource(seed: 6, stream: 1)
        model.visit(.root) { _, role, tensor in
            guard role == .learned else { return }
            var noise = Tensor(uninitialized: tensor.shape)
            random.fill(normal: &noise, mean: 0, deviation: 0.02)
            tensor.add(noise)
        }
        let pixels = try Fixture.pixels("dcae_in/a64_image_u8.npy")
        var kept = Tape.keeping
        let (_, dy) = SquaredError.loss(model.forward(pixels, keeping: &kept), pixels)
        var gradient = model.zeroed()
        _ = model.backward(dy, from: &kept, into: &gradient)
        func loss(moving path: String, by step: Float) -> Double {
            var moved = model
            moved.visit(.root) { name, _, tensor in
                if name.description == path { tensor.withMutablePointer { $0[3] += step } }
            }
            var kept = Tape.keeping
            return SquaredError.loss(moved.forward(pixels, keeping: &kept), pixels).value
        }
        let paths = gradient.tensors.filter { $0.path.contains("patch_skip") }
        #expect(paths.count == 4)
        for (path, _, tensor) in paths {
            let slope = (loss(moving: path, by: 1e-2) - loss(moving: path, by: -1e-2)) / 2e-2
            let scale = Double(tensor.sumOfSquares / Double(tensor.count)).squareRoot()
            #expect(abs(slope - Double(tensor.values[3])) < 0.02 * max(abs(slope), scale), "\(path): slope \(slope), gradient \(tensor.values[3])")
        }
    }
}
