import Foundation
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Networks

/// The refiner against PyTorch, and as a part of a decoder.
@Suite struct PictureRefinerTests {
    private static let shape = PatchCodeConfiguration.Refiner(factor: 4, channels: 10, layers: 2)

    private func refiner(_ initializer: Initializer) -> PictureRefiner {
        var initializer = initializer
        return PictureRefiner(Self.shape, imageChannels: 3, &initializer)
    }

    @Test(arguments: InstructionSet.supported)
    func outputAndGradientsArePyTorchs(_ set: InstructionSet) throws {
        try ComputeContext.with(\.instructionSet, set) { try compareWithPyTorch() }
    }

    private func compareWithPyTorch() throws {
        let file = try SafetensorsFile(Fixture.path("refiner.safetensors"))
        var refiner = refiner(.placeholder)
        try refiner.load(from: file, prefix: "parameters")
        let (input, target) = (try file.tensor("input").channelsLast, try file.tensor("target").channelsLast)
        var kept = Tape.keeping
        let output = refiner.forward(input, keeping: &kept)
        #expect(output.relativeError(to: try file.tensor("output").channelsLast) < 1e-5)
        #expect(refiner(input).relativeError(to: output) < 1e-5, "fused where nothing is kept")
        var gradient = refiner.zeroed()
        let dinput = refiner.backward(SquaredError.loss(output, target).gradient, from: &kept, into: &gradient)
        #expect(kept.isEmpty)
        #expect(dinput.relativeError(to: try file.tensor("input_gradient").channelsLast) < 1e-5)
        #expect(!gradient.tensors.isEmpty)
        for (path, _, tensor) in gradient.tensors {
            #expect(tensor.relativeError(to: try file.tensor("gradients.\(path)")) < 1e-5, "\(path)")
        }
    }

    @Test func startsByChangingNothing() throws {
        let input = try SafetensorsFile(Fixture.path("refiner.safetensors")).tensor("input").channelsLast
        #expect(refiner(.random(seed: 2))(input).values == input.values)
    }

    /// A decoder's gradient goes through the refiner to the latents: held against the loss a little to both sides of each.
    @Test(arguments: [nil, [.init(channels: 12, layers: 1), .init(channels: 6, layers: 0)]] as [[PatchCodeConfiguration.Refiner.Scale]?])
    func theDecodersGradientForItsLatentsIsTheSlope(scales: [PatchCodeConfiguration.Refiner.Scale]?) throws {
        var configuration = try JSONDecoder().decode(PatchCodeConfiguration.self, from: Data(AutoencoderMemoryTests.refined.utf8))
        configuration.refiner?.scales = scales
        var initializer = Initializer.random(seed: 4)
        var decoder = PatchCodeDecoder(configuration, &initializer)
        var random = RandomSource(seed: 6, stream: 1)
        decoder.visit(.root) { _, role, tensor in
            guard role == .learned else { return }
            var noise = Tensor(uninitialized: tensor.shape)
            random.fill(normal: &noise, mean: 0, deviation: 0.05)
            tensor.add(noise)
        }
        var (z, target) = (Tensor(uninitialized: [1, 2, 2, 8]), Tensor(uninitialized: [1, 16, 16, 3]))
        random.fill(normal: &z)
        random.fill(normal: &target)
        var kept = Tape.keeping
        let (_, dy) = SquaredError.loss(decoder.forward(z, keeping: &kept), target)
        var gradient = decoder.zeroed()
        let dz = decoder.backward(dy, from: &kept, into: &gradient)
        #expect(kept.isEmpty)
        for index in 0..<z.count {
            func loss(_ step: Float) -> Double {
                var moved = z
                moved.withMutablePointer { $0[index] += step }
                return SquaredError.loss(decoder(moved), target).value
            }
            let slope = (loss(1e-2) - loss(-1e-2)) / 2e-2
            let scale = (dz.sumOfSquares / Double(dz.count)).squareRoot()
            #expect(abs(slope - Double(dz.values[index])) < 0.02 * max(abs(slope), scale), "\(index)")
        }
    }

    @Test func aFinishedAutoencoderKeepsItsPicturesWhenARefinerIsAdded() throws {
        var configuration = try JSONDecoder().decode(PatchCodeConfiguration.self, from: Data(AutoencoderMemoryTests.refined.utf8))
        let refined = Autoencoder(AutoencoderConfiguration(configuration), .random(seed: 4))
        configuration.refiner = nil
        let plain = Autoencoder(AutoencoderConfiguration(configuration), extending: refined, .random(seed: 5))
        configuration.refiner = .init(factor: 2, channels: 6, layers: 1)
        let extended = Autoencoder(AutoencoderConfiguration(configuration), extending: plain, .random(seed: 6))
        let pixels = try SafetensorsFile(Fixture.path("refiner.safetensors")).tensor("input").channelsLast.images(0..<1)
        let square = Tensor(Array(pixels.values.prefix(8 * 16 * 3)), shape: [1, 8, 16, 3])
        #expect(extended.encoder(square).values == refined.encoder(square).values)
        #expect(extended(square).values == plain(square).values)
        #expect(extended.tensors.contains { $0.path == "decoder.refiner.blocks.0.conv1.weight" })
    }
}
