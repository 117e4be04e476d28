import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Networks

/// What a backward pass tells while it is under way.
@Suite struct GradientReceiverTests {
    /// Each family of autoencoders with everything that it has.
    private static let models = ["dcae_in", "dcae_sana", "kl", "kl_plain", "vq", "tiny", "tiny_pool", "tiny_silu", "tiny_stem"]

    @Test(arguments: models)
    func everyTensorIsToldOfOnceAndNotChangedAfterwards(name: String) throws {
        let model = try Autoencoder(directory: Fixture.path(name))
        var random = RandomSource(seed: 1, stream: 1)
        var pixels = Tensor(uninitialized: [1, 64, 64, 3])
        random.fill(normal: &pixels, mean: 0, deviation: 0.5)
        expectTold(model, pixels)
    }

    @Test(arguments: RectifierNetworkTests.networks)
    func everyTensorOfARectifierIsToldOf(network: RectifierConfiguration.Network) {
        let shape = LatentShape(channels: 3, height: 3, width: 4)
        var q = Tensor(uninitialized: [2] + shape.map)
        var random = RandomSource(seed: 2, stream: 1)
        random.fill(normal: &q, mean: 0, deviation: 1)
        expectTold(Rectifier(RectifierConfiguration(network, isResidual: true), shape: shape, .random(seed: 3)), q)
    }

    private func expectTold(_ model: some Layer, _ x: Tensor) {
        let told = Mailbox<[Tensor]>()
        var kept = Tape.keeping
        kept.receiver = { told.post($0) }
        let y = model.forward(x, keeping: &kept)
        #expect(told.posted.isEmpty, "only the way back finishes anything")
        var gradient = model.zeroed()
        _ = model.backward(y, from: &kept, into: &gradient)
        let found = told.posted.flatMap { $0 }
        #expect(Set(found.map(\.memory)) == Set(gradient.tensors.map(\.tensor.memory)))
        #expect(found.count == gradient.tensors.count)
    }
}
