import FoundationEssentials
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Networks

/// Every kind of rectifier, against PyTorch where it has a counterpart there, and against differences of the loss.
@Suite struct RectifierNetworkTests {
    private static let shape = LatentShape(channels: 3, height: 3, width: 4)
    static let networks: [RectifierConfiguration.Network] = [
        .identity, .vit(width: 12, depth: 1, headDimension: 6, scales: [3]), .mlp(width: 10, depth: 2),
        .cnn(width: 10, depth: 2, rank: 4), .linear(reach: .neighbourhood(size: 3)), .linear(reach: .image),
    ]

    @Test(arguments: ["cnn", "mlp"])
    func agreesWithPyTorch(name: String) throws {
        let file = try SafetensorsFile(Fixture.path("rectifiers/networks.safetensors"))
        let network: RectifierConfiguration.Network = name == "cnn" ? .cnn(width: 10, depth: 2, rank: 4) : .mlp(width: 10, depth: 2)
        var rectifier = Rectifier(RectifierConfiguration(network, isResidual: false), shape: Self.shape, .placeholder)
        try rectifier.load(from: file, prefix: "\(name).parameters")
        let (input, target) = (try file.tensor("\(name)/input").channelsLast, try file.tensor("\(name)/target").channelsLast)
        var kept = Tape.keeping
        let output = rectifier.forward(input, keeping: &kept)
        #expect(output.relativeError(to: try file.tensor("\(name)/output").channelsLast) < 1e-5)
        var gradient = rectifier.zeroed()
        let dinput = rectifier.backward(SquaredError.loss(output, target).gradient, from: &kept, into: &gradient)
        #expect(kept.isEmpty)
        #expect(dinput.relativeError(to: try file.tensor("\(name)/input_gradient").channelsLast) < 1e-5)
        for (path, role, tensor) in gradient.tensors where role == .learned {
            // A shift before BatchNorm changes nothing: that gradient is rounding, not a number to compare.
            if name == "mlp" && path.hasSuffix("linear2.bias") { continue }
            #expect(tensor.relativeError(to: try file.tensor("\(name).gradients.\(path)")) < 1e-5, "\(path)")
        }
    }

    @Test(arguments: networks)
    func aPlaceholderHasShapesAndNoMemory(network: RectifierConfiguration.Network) {
        let configuration = RectifierConfiguration(network, isResidual: false)
        let profile = ComputeProfile()
        let placeholder = ComputeContext.with(\.profile, profile) { Rectifier(configuration, shape: Self.shape, .placeholder) }
        #expect(profile.peakBytes == 0)
        #expect(placeholder.tensors.map(\.tensor.shape) == Rectifier(configuration, shape: Self.shape, .random(seed: 1)).tensors.map(\.tensor.shape))
    }

    /// The slope of the loss along the gradient is the gradient's squared norm.
    @Test(arguments: networks, [false, true])
    func gradientsAreSlopes(network: RectifierConfiguration.Network, isResidual: Bool) {
        var rectifier = Rectifier(RectifierConfiguration(network, isResidual: isResidual), shape: Self.shape, .random(seed: 3))
        // Corrections start at zero, where half of the gradients vanish; move away from there.
        Self.disturb(&rectifier)
        let (q, z) = (Self.latents(7), Self.latents(8))
        func loss(_ rectifier: Rectifier, _ q: Tensor) -> Double {
            var kept = Tape.keeping
            return SquaredError.loss(rectifier.forward(q, keeping: &kept), z).value
        }
        var kept = Tape.keeping
        let dy = SquaredError.loss(rectifier.forward(q, keeping: &kept), z).gradient
        var gradient = rectifier.zeroed()
        let dq = rectifier.backward(dy, from: &kept, into: &gradient)
        #expect(kept.isEmpty)
        let step = 1e-3
        func moved(_ sign: Double) -> Double {
            var (rectifier, q, index) = (rectifier, q, 0)
            let gradients = gradient.tensors
            rectifier.visit(.root) { _, role, tensor in
                if role == .learned { tensor.add(gradients[index].tensor.scaled(by: sign * step)) }
                index += 1
            }
            q.add(dq.scaled(by: sign * step))
            return loss(rectifier, q)
        }
        let squared = dq.sumOfSquares + gradient.tensors.reduce(0) { $0 + ($1.role == .learned ? $1.tensor.sumOfSquares : 0) }
        let slope = (moved(1) - moved(-1)) / (2 * step)
        #expect(squared > 0)
        #expect(abs(slope - squared) < 2e-3 * squared, "\(slope), expected \(squared)")
    }

    @Test(arguments: networks)
    func aResidualStartsByChangingNothing(network: RectifierConfiguration.Network) {
        let rectifier = Rectifier(RectifierConfiguration(network, isResidual: true), shape: Self.shape, .random(seed: 3))
        #expect(rectifier(Self.latents(7)).values == Self.latents(7).values)
    }

    @Test(arguments: networks, [false, true])
    func configurationsSurviveJSONAndHaveNamesOfTheirOwn(network: RectifierConfiguration.Network, isResidual: Bool) throws {
        let configuration = RectifierConfiguration(network, isResidual: isResidual)
        try configuration.validate(for: Self.shape)
        #expect(try JSONDecoder().decode(RectifierConfiguration.self, from: JSONEncoder().encode(configuration)) == configuration)
        let others = Self.networks.flatMap { [RectifierConfiguration($0, isResidual: false), RectifierConfiguration($0, isResidual: true)] }
        #expect(others.filter { $0.canonicalName == configuration.canonicalName } == [configuration])
    }

    @Test(
        arguments: [
            .cnn(width: 0, depth: 1, rank: 1), .cnn(width: 8, depth: 65, rank: 1), .cnn(width: 8, depth: 1, rank: 9),
            .cnn(width: 8, depth: 1, rank: 0),
            .linear(reach: .neighbourhood(size: 2)), .linear(reach: .neighbourhood(size: 17)), .linear(reach: .neighbourhood(size: -1)),
            .mlp(width: 8, depth: 0), .vit(width: 10, depth: 1, headDimension: 5, scales: []),
        ] as [RectifierConfiguration.Network])
    func refusesImpossibleNumbers(network: RectifierConfiguration.Network) {
        #expect(throws: RectifierConfiguration.ConfigurationError.self) {
            try RectifierConfiguration(network, isResidual: false).validate(for: Self.shape)
        }
    }

    @Test func refusesALinearMapOfTooManyLatents() {
        #expect(throws: RectifierConfiguration.ConfigurationError.self) {
            try RectifierConfiguration(.linear(reach: .image), isResidual: true).validate(for: LatentShape(channels: 32, height: 32, width: 32))
        }
    }

    private static func latents(_ seed: UInt64) -> Tensor {
        var tensor = Tensor(uninitialized: [5, shape.height, shape.width, shape.channels])
        var random = RandomSource(seed: seed, stream: 0)
        random.fill(normal: &tensor)
        return tensor
    }

    private static func disturb(_ rectifier: inout Rectifier) {
        var random = RandomSource(seed: 6, stream: 1)
        rectifier.visit(.root) { _, role, tensor in
            guard role == .learned else { return }
            var noise = Tensor(uninitialized: tensor.shape)
            random.fill(normal: &noise, mean: 0, deviation: 0.1)
            tensor.add(noise)
        }
    }
}

extension Tensor {
    fileprivate func scaled(by factor: Double) -> Tensor {
        var result = self
        result.multiply(by: Float(factor))
        return result
    }
}
