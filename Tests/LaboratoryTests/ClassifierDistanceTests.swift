import FoundationEssentials
import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Images
@testable import Laboratory
@testable import Pictures

/// Against PyTorch and scipy: `Fixtures/make_classifier.py` made the references.
@Suite struct ClassifierDistanceTests {
    private struct Reference: Decodable {
        let shapes: [String: [Int]]
        let features: [Float]
        let frechet: Double
    }

    private var reference: Reference {
        get throws { try JSONDecoder().decode(Reference.self, from: Data(try StoredFile.read(Fixture.path("metrics/efficientnet.json")))) }
    }

    /// Sums in single precision, through fifty layers.
    @Test func featuresAndDistanceAreTheReferences() throws {
        let reference = try reference
        let network = try Self.network(reference)
        let originals = (0..<12).map { PictureMetricsTests.picture("picture \($0)") }
        let drawn = originals.enumerated().map { index, original in
            let noise = PictureMetricsTests.uniform("noise \(index)", original.pixels.count)
            let pixels = zip(original.pixels, noise).map { UInt8(Float($0 / 4 * 3) + 32 * $1) }
            return RGBImage(width: original.width, height: original.height, pixels: pixels)
        }
        let (before, after) = (Self.features(of: originals, network), Self.features(of: drawn, network))
        #expect(before.images(0..<1).reshaped([1280]).relativeError(to: Tensor(reference.features, shape: [1280])) < 1e-5)
        let distance = ClassifierDistance("FD", after, before)
        #expect(abs(distance.frechet / reference.frechet - 1) < 1e-4)
        #expect(distance.images == 12)
        let (low, high) = (try #require(distance.low), try #require(distance.high))
        #expect(low < distance.frechet && distance.frechet < high)
    }

    /// Features less their mean have one singular value of nought: the root of an eigenvalue that is rounded, which is some 1e-8.
    @Test func everyPictureOnceIsTheSetItself() {
        let (a, b) = (PictureMetricsTests.uniform("a 12", 240), PictureMetricsTests.uniform("b 12", 240))
        let (first, second) = (FeatureSet(Tensor(a, shape: [12, 20])), FeatureSet(Tensor(b, shape: [12, 20])))
        let pairs = FeaturePairs(first, second)
        #expect(abs(pairs.frechetDistance(of: Array((0..<12).reversed())) - first.frechetDistance(to: second)) < 1e-7)
    }

    @Test func aPictureDrawnTwiceCountsTwice() {
        let (a, b) = (PictureMetricsTests.uniform("a 12", 240), PictureMetricsTests.uniform("b 12", 240))
        let places = [3, 3, 3, 0, 7, 7, 11, 2, 2, 5]
        func chosen(_ values: [Float]) -> FeatureSet {
            FeatureSet(Tensor(places.flatMap { values[$0 * 20..<($0 + 1) * 20] }, shape: [places.count, 20]))
        }
        let pairs = FeaturePairs(FeatureSet(Tensor(a, shape: [12, 20])), FeatureSet(Tensor(b, shape: [12, 20])))
        #expect(abs(pairs.frechetDistance(of: places) - chosen(a).frechetDistance(to: chosen(b))) < 1e-6)
    }

    @Test func threadsDoNotChangeTheInterval() {
        let (a, b) = (PictureMetricsTests.uniform("a 60", 1200), PictureMetricsTests.uniform("b 60", 1200))
        let found = [1, 3].map { threads in
            ComputeContext.with(\.threads, threads) { ClassifierDistance("FD", Tensor(a, shape: [60, 20]), Tensor(b, shape: [60, 20])) }
        }
        #expect(found[0] == found[1])
    }

    @Test func weightsOfAnotherNetworkAreRefusedInOneLine() throws {
        let path = Fixture.path("refiner.safetensors")
        let error = #expect(throws: FileError.self) { try EfficientNetLite(path) }
        #expect(error?.reason == "\(path) holds no EfficientNet-Lite0 by the names of the package efficientnet_lite_pytorch")
    }

    @Test func tooFewPicturesAreRefusedInOneLine() throws {
        let reference = try reference
        try withScratchFolder { folder in
            let weights = try Self.weights(reference, in: folder)
            let pictures = folder + "/pictures"
            try StoredFolder.create(pictures)
            try StoredFile.write(PNGEncoder.encode(PictureMetricsTests.picture("only")), to: pictures + "/only.png")
            let networks = try PerceptualNetworks(inception: nil, classifier: weights, lpips: nil, imageSize: 64)
            let error = #expect(throws: FileError.self) { try networks.check(try ImageSource(pictures)) }
            #expect(error?.reason == "FD-EffNetLite0 needs at least 10 images, \(pictures) has 1")
        }
    }

    private static func features(of pictures: [RGBImage], _ network: EfficientNetLite) -> Tensor {
        Tensor(pictures.flatMap { network.features(of: $0).values }, shape: [pictures.count, EfficientNetLite.features])
    }

    private static func network(_ reference: Reference) throws -> EfficientNetLite {
        try withScratchFolder { folder in try EfficientNetLite(try weights(reference, in: folder)) }
    }

    private static func weights(_ reference: Reference, in folder: String) throws -> String {
        let path = folder + "/efficientnet.safetensors"
        let shapes = reference.shapes.sorted { $0.key < $1.key }.map { (name: $0.key, shape: $0.value) }
        try PictureMetricsTests.writeRandomWeights(to: path, shapes: shapes)
        return path
    }
}
