import FoundationEssentials
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting
@testable import Images
@testable import Laboratory

/// Against scipy, torch-fidelity and lpips: `Fixtures/make_metrics.py` made the references.
@Suite struct PictureMetricsTests {
    private struct Reference: Decodable {
        struct Distance: Decodable {
            let n, d: Int
            let frechet, kernel: Double
        }

        let psnr, luma_psnr, red_psnr, ssim, lpips: Double
        let distances: [Distance]
    }

    private static let fixtures = Fixture.path("metrics")

    private var reference: Reference {
        get throws { try JSONDecoder().decode(Reference.self, from: Data(try StoredFile.read("\(Self.fixtures)/metrics.json"))) }
    }

    @Test func picturesDifferAsTheReferencesSay() throws {
        let reference = try reference
        let (a, b) = (Self.picture("first"), Self.picture("second"))
        let difference = PictureDifference(a, b, lpips: nil)
        #expect(abs(difference.psnr - reference.psnr) < 1e-9)
        #expect(abs(difference.lumaPSNR - reference.luma_psnr) < 1e-9)
        #expect(abs(difference.redPSNR - reference.red_psnr) < 1e-9)
        #expect(abs(try #require(difference.ssim) - reference.ssim) < 1e-12)
        #expect(difference.lpips == nil)
        let same = PictureDifference(a, a, lpips: nil)
        #expect(same.psnr == 100 && same.redPSNR == 100 && abs(same.ssim! - 1) < 1e-12)
    }

    @Test func perceptualDistanceIsTheReferences() throws {
        try withScratchFolder { folder in
            let path = folder + "/lpips.safetensors"
            try Self.writeRandomWeights(to: path, shapes: Self.lpipsShapes)
            let network = try PerceptualNetwork(path)
            let (a, b) = (Self.picture("first"), Self.picture("second"))
            #expect(abs(network.distance(a, b) / (try reference.lpips) - 1) < 1e-4)
            #expect(network.distance(a, a) == 0)
        }
    }

    @Test func inceptionFeaturesAreTheReferences() throws {
        try withScratchFolder { folder in
            let path = folder + "/inception.safetensors"
            try Self.writeRandomWeights(to: path, shapes: Self.inceptionShapes)
            let network = try InceptionNetwork(path)
            let expected = try #require(try NumPyArray(parsing: StoredFile.read("\(Self.fixtures)/inception.npy")).floats)
            let found = ["first", "second"].flatMap { network.features(of: Self.picture($0)).values }
            let error = zip(found, expected).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            let norm = expected.reduce(0.0) { $0 + Double($1 * $1) }
            #expect(found.count == expected.count)
            #expect((error / norm).squareRoot() < 1e-4)
        }
    }

    @Test func weightsOfAnotherNetworkAreRefused() throws {
        try withScratchFolder { folder in
            let path = folder + "/lpips.safetensors"
            try Self.writeRandomWeights(to: path, shapes: [("net.slice1.0.weight", [64, 3, 3, 3])])
            #expect(throws: FileError.self) { try PerceptualNetwork(path) }
            #expect(throws: FileError.self) { try InceptionNetwork(path) }
        }
    }

    @Test func setsDifferAsTheReferencesSay() throws {
        for distance in try reference.distances {
            let (n, d) = (distance.n, distance.d)
            let a = Self.uniform("a \(n)", n * d)
            let b = Self.uniform("b \(n)", n * d).map { $0 * 1.25 + 0.1 }
            let found = FeatureDistance(Tensor(a, shape: [n, d]), Tensor(b, shape: [n, d]))
            #expect(abs(found.frechet - distance.frechet) < 1e-6 * distance.frechet)
            #expect(abs(found.kernel - distance.kernel) < 1e-9 * abs(distance.kernel))
            let same = FeatureDistance(Tensor(a, shape: [n, d]), Tensor(a, shape: [n, d]))
            #expect(abs(same.frechet) < 1e-6)
        }
    }

    static func uniform(_ name: String, _ count: Int) -> [Float] {
        var random = RandomSource(seed: 0, stream: RandomSource.stream(named: name))
        return (0..<count).map { _ in random.uniform() }
    }

    /// Noise on a coarse grid, enlarged, and a little fine noise.
    static func picture(_ name: String) -> RGBImage {
        let (coarse, fine) = (uniform(name, 8 * 8 * 3), uniform(name + " fine", 64 * 64 * 3))
        let pixels = fine.indices.map { index in
            let (pixel, channel) = index.quotientAndRemainder(dividingBy: 3)
            return UInt8(200 * coarse[(pixel / 64 / 8 * 8 + pixel % 64 / 8) * 3 + channel] + 40 * fine[index])
        }
        return RGBImage(width: 64, height: 64, pixels: pixels)
    }

    /// The weights that `make_metrics.py` gave the references.
    static func writeRandomWeights(to path: String, shapes: [(name: String, shape: [Int])]) throws {
        let tensors = shapes.map { name, shape in
            let fanIn = Float(shape.dropFirst().reduce(1, *))
            let values = uniform(name, shape.reduce(1, *)).map { u -> Float in
                if name.hasSuffix("running_var") { return 0.5 + u }
                if name.contains("bn") && name.hasSuffix(".weight") { return 0.75 + 0.5 * u }
                if name.hasPrefix("lin") { return u / Float(shape[1]) }
                return shape.count == 4 ? (2 * u - 1) * (6 / fanIn).squareRoot() : 0.2 * u - 0.1
            }
            return (name: name, tensor: Tensor(values, shape: shape))
        }
        try SafetensorsWriter.write(tensors, to: path)
    }

    private static let lpipsShapes: [(name: String, shape: [Int])] = {
        let convolutions = [("1.0", 3, 64, 11), ("2.3", 64, 192, 5), ("3.6", 192, 384, 3), ("4.8", 384, 256, 3), ("5.10", 256, 256, 3)]
        return convolutions.enumerated().flatMap { index, layer in
            let (name, input, output, side) = layer
            return [
                (name: "net.slice\(name).weight", shape: [output, input, side, side]), ("net.slice\(name).bias", [output]),
                ("lin\(index).model.1.weight", [1, output, 1, 1]),
            ]
        }
    }()

    /// Read from `Fixtures/metrics/inception.txt`: name, out, in, height and width of each convolution.
    private static let inceptionShapes: [(name: String, shape: [Int])] = {
        guard let bytes = try? StoredFile.read(fixtures + "/inception.txt") else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").flatMap { line in
            let fields = line.split(separator: " ")
            let shape = fields.dropFirst().compactMap { Int($0) }
            let norms = ["weight", "bias", "running_mean", "running_var"].map { (name: "\(fields[0]).bn.\($0)", shape: [shape[0]]) }
            return [(name: "\(fields[0]).conv.weight", shape: shape)] + norms
        }
    }()
}
