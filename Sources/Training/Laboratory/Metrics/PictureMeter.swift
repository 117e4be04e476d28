import Compute
import Files
import Fitting
import Images
import Pictures
import TokenizerCore

/// Collects how far drawn pictures are from their originals.
struct PictureMeter {
    /// A picture that others are compared with; what it costs to look at is computed once.
    struct Original {
        let image: RGBImage
        /// The picture that it is a square of.
        let source: String
        /// Empty where no weights were given.
        let inception, classified: [Float]

        init(_ image: RGBImage, of source: String, _ networks: PerceptualNetworks) {
            (self.image, self.source) = (image, source)
            inception = networks.inception?.features(of: image).values ?? []
            classified = networks.classifier?.features(of: image).values ?? []
        }
    }

    /// How far a drawn picture is from its original, and what it looks like to the networks.
    struct Reading: Codable, Sendable {
        let difference: PictureDifference
        let inception, classified: Features
    }

    /// What a network makes of a drawn picture and of its original; empty where no weights were given.
    struct Features: Codable, Sendable {
        var drawn: [Float] = []
        var originals: [Float] = []

        func areOf(_ count: Int) -> Bool { drawn.count == count && originals.count == count }

        static func += (sum: inout Features, other: Features) {
            sum.drawn += other.drawn
            sum.originals += other.originals
        }

        /// The two sets, if there are any: a picture's features per row.
        func rows(of width: Int) -> (drawn: Tensor, originals: Tensor)? {
            guard !drawn.isEmpty else { return nil }
            let shape = [drawn.count / width, width]
            return (Tensor(drawn, shape: shape), Tensor(originals, shape: shape))
        }
    }

    private let networks: PerceptualNetworks
    private var differences: [PictureDifference] = []
    private var sources: [String] = []
    private var (inception, classified) = (Features(), Features())

    init(_ networks: PerceptualNetworks) {
        self.networks = networks
    }

    /// - Returns: how far this one is.
    /// - Precondition: equal sizes.
    @discardableResult
    mutating func add(_ drawn: RGBImage, _ original: Original) -> PictureDifference {
        let reading = read(drawn, original)
        add(reading, of: original.source)
        return reading.difference
    }

    /// - Precondition: equal sizes.
    func read(_ drawn: RGBImage, _ original: Original) -> Reading {
        Reading(
            difference: PictureDifference(drawn, original.image, lpips: networks.lpips),
            inception: Features(drawn: networks.inception?.features(of: drawn).values ?? [], originals: original.inception),
            classified: Features(drawn: networks.classifier?.features(of: drawn).values ?? [], originals: original.classified))
    }

    mutating func add(_ reading: Reading, of source: String) {
        differences.append(reading.difference)
        sources.append(source)
        inception += reading.inception
        classified += reading.classified
    }

    /// - Precondition: at least one picture was added.
    var figures: PictureFigures {
        let distance = inception.rows(of: InceptionNetwork.features).flatMap { $0.drawn.n < 2 ? nil : FeatureDistance($0.drawn, $0.originals) }
        let other = classified.rows(of: EfficientNetLite.features).flatMap {
            $0.drawn.n < ClassifierDistance.fewestImages ? nil : ClassifierDistance(EfficientNetLite.title, $0.drawn, $0.originals)
        }
        return PictureFigures(
            difference: .mean(differences), distribution: distance, images: differences.count,
            psnr: PictureMean(differences.map(\.psnr), of: sources), classified: other)
    }
}

/// How good drawn pictures are: means over them, and how they differ from their originals as a set.
package struct PictureFigures: Codable, Equatable, Sendable {
    package let difference: PictureDifference
    /// rFID and KID, where the weights of ``InceptionNetwork`` were given.
    package let distribution: FeatureDistance?
    package let images: Int
    /// The PSNR over RGB as a mean over pictures, with its interval; nil in what earlier versions measured.
    package var psnr: PictureMean?
    /// Over the features of another classifier, where its weights were given and there are enough pictures.
    package var classified: ClassifierDistance?

    /// Said beside a Fréchet distance of few pictures.
    static func bias(of images: Int) -> String? {
        images >= FeatureDistance.enoughImages
            ? nil
            : "A Fréchet distance of \(images) images is too large by an unknown amount and compares only with figures of the same \(images) images; KID is unbiased."
    }
}

/// The classifiers behind rFID, KID, LPIPS and a Fréchet distance of another one, as far as their weights were given.
package struct PerceptualNetworks: Sendable {
    let inception: InceptionNetwork?
    let classifier: EfficientNetLite?
    let lpips: PerceptualNetwork?

    /// - Parameters:
    ///   - inception: path of ``InceptionNetwork``'s weights.
    ///   - classifier: path of ``EfficientNetLite``'s weights.
    ///   - lpips: path of ``PerceptualNetwork``'s weights.
    ///   - imageSize: of the pictures that will be compared.
    /// - Throws: when a file cannot be used, or the pictures are too small.
    package init(inception: String?, classifier: String? = nil, lpips: String?, imageSize: Int) throws(FileError) {
        if let lpips, imageSize < PerceptualTrunk.smallestSide {
            throw FileError(path: lpips, reason: "LPIPS needs pictures of at least \(PerceptualTrunk.smallestSide) pixels, not \(imageSize)")
        }
        self.inception = if let inception { try InceptionNetwork(inception) } else { nil }
        self.classifier = if let classifier { try EfficientNetLite(classifier) } else { nil }
        self.lpips = if let lpips { try PerceptualNetwork(lpips) } else { nil }
    }

    private init() {
        (inception, classifier, lpips) = (nil, nil, nil)
    }

    /// No weights were given.
    package static let none = PerceptualNetworks()

    /// Says so where the figures that were asked for need more pictures.
    package func check(_ source: ImageSource) throws(FileError) {
        guard classifier != nil, source.count < ClassifierDistance.fewestImages else { return }
        throw FileError(
            path: source.path,
            reason: "\(EfficientNetLite.title) needs at least \(ClassifierDistance.fewestImages) images, \(source.path) has \(source.count)")
    }
}
