import Foundation
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting

/// Distances and their gradients against the packages stlpips-pytorch and lpips, with weights that both sides compute from their places.
@Suite struct PerceptualNetworkTests {
    /// Rounding decides which of two equal neighbours a pool takes, and so where a gradient goes: products are summed as PyTorch sums them.
    @Test(arguments: PerceptualTrunk.allCases)
    func distancesAndGradientsArePyTorchs(_ trunk: PerceptualTrunk) throws {
        try ComputeContext.with(\.algorithm, .direct) { try compareWithPyTorch(trunk) }
    }

    private func compareWithPyTorch(_ trunk: PerceptualTrunk) throws {
        let reference = try SafetensorsFile(Fixture.path("perceptual.safetensors"))
        let network = try PerceptualNetwork.drawn(trunk)
        let first = trunk.isShiftTolerant ? 100 : 301
        let (y, target) = (Drawn.picture(first), Drawn.picture(first + 100))
        let distances = try reference.tensor("\(trunk.rawValue).distances").values.map(Double.init)
        for (found, expected) in zip(network.distances(y, target), distances) { #expect(abs(found - expected) < 1e-5 * expected) }
        let (loss, gradient) = network.loss(y, target)
        let expected = distances.reduce(0, +) / 2
        #expect(abs(loss - expected) < 1e-5 * expected)
        let error = gradient.relativeError(to: try reference.tensor("\(trunk.rawValue).gradient"))
        #expect(error < 1e-4, "\(error)")
    }

    /// What a training is refused by, before it begins.
    @Test(arguments: PerceptualTrunk.allCases)
    func memoryIsKnownBeforehand(_ trunk: PerceptualTrunk) throws {
        let network = try PerceptualNetwork.drawn(trunk)
        let picture = Tensor(repeating: 0.1, shape: [2, 96, 96, 3])
        let other = Tensor(repeating: 0.2, shape: picture.shape)
        _ = network.loss(picture, other)
        let profile = ComputeProfile()
        ComputeContext.with(\.profile, profile) { _ = network.loss(picture, other) }
        let estimate = 4.5 * trunk.floatsPerPixel * Double(2 * 96 * 96)
        #expect(Double(profile.peakBytes) <= estimate)
        #expect(estimate <= 3 * Double(profile.peakBytes))
    }

    @Test func aPictureIsNoDistanceFromItself() throws {
        let network = try PerceptualNetwork.drawn(.shiftTolerantAlex)
        let picture = Drawn.picture(301)
        #expect(network.distances(picture, picture) == [0, 0])
        #expect(network.loss(picture, picture).gradient.values.allSatisfy { $0 == 0 })
    }

    @Test func aBlackPictureHasAGradientThatIsANumber() throws {
        let network = try PerceptualNetwork.drawn(.alex)
        let black = Tensor(repeating: -0.03, shape: [1, 40, 40, 3])
        #expect(network.loss(black, Tensor(repeating: 1, shape: [1, 40, 40, 3])).gradient.values.allSatisfy { $0.isFinite })
    }

    @Test func anotherFileIsRefusedInOneLine() throws {
        let error = #expect(throws: FileError.self) { try PerceptualNetwork(Fixture.path("refiner.safetensors")) }
        #expect(error?.reason.contains("holds no perceptual network that is known: ST-LPIPS (alex), ") == true)
        try withScratchFolder { folder in
            let path = folder + "/net.safetensors"
            let tensors = Drawn.tensors(.shiftTolerantAlex).filter { $0.name != "lin3.model.1.weight" }
            try SafetensorsWriter.write(tensors, precision: .float32, to: path)
            let missing = #expect(throws: FileError.self) { try PerceptualNetwork(path) }
            #expect(missing?.reason.contains("lin3.model.1.weight") == true)
        }
    }
}

extension PerceptualNetwork {
    /// With the weights of `make_perceptual.py`.
    static func drawn(_ trunk: PerceptualTrunk) throws -> PerceptualNetwork {
        try withScratchFolder { folder in
            let path = folder + "/net.safetensors"
            try SafetensorsWriter.write(Drawn.tensors(trunk), precision: .float32, to: path)
            return try PerceptualNetwork(path)
        }
    }
}

/// The numbers of `make_perceptual.py`.
enum Drawn {
    static func picture(_ number: Int) -> Tensor { Tensor(values(2 * 40 * 48 * 3, number).map { Float(2 * $0 - 1) }, shape: [2, 40, 48, 3]) }

    /// Sorted by name.
    static func tensors(_ trunk: PerceptualTrunk) -> [(name: String, tensor: Tensor)] {
        var shapes: [String: [Int]] = [:]
        for convolution in trunk.convolutions {
            shapes["\(convolution.name).weight"] = convolution.shape
            shapes["\(convolution.name).bias"] = [convolution.shape[0]]
        }
        var (channels, heads) = (3, 0)
        for step in trunk.steps {
            channels = step.channels ?? channels
            guard case .listening = step else { continue }
            shapes["lin\(heads).model.1.weight"] = [1, channels, 1, 1]
            heads += 1
        }
        return shapes.sorted { $0.key < $1.key }.enumerated().map { number, entry in
            let (name, shape) = entry
            return (name, Tensor(numbers(name, shape, number), shape: shape))
        }
    }

    private static func numbers(_ name: String, _ shape: [Int], _ number: Int) -> [Float] {
        let values = values(shape.reduce(1, *), number)
        if name.hasPrefix("lin") { return values.map { Float($0) } }
        let bound = name.hasSuffix("bias") ? 0.1 : (6 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
        return values.map { Float((2 * $0 - 1) * bound) }
    }

    private static func values(_ count: Int, _ number: Int) -> [Double] {
        (0..<UInt64(count)).map { Double(($0 * 2_654_435_761 + UInt64(number + 1) * 40_503) % (1 << 32)) / Double(UInt64(1) << 32) }
    }
}
