import Compute
import Files
import Fitting
import Images
import TokenizerCore

/// Collects how far drawn pictures are from their originals.
struct PictureMeter {
    /// A picture that others are compared with; what it costs to look at is computed once.
    struct Original {
        let image: RGBImage
        /// The picture that it is a square of.
        let source: String
        let features: [Float]

        init(_ image: RGBImage, of source: String, _ networks: PerceptualNetworks) {
            (self.image, self.source) = (image, source)
            features = networks.inception?.features(of: image).values ?? []
        }
    }

    /// How far a drawn picture is from its original, and what it looks like to the networks.
    struct Reading: Codable, Sendable {
        let difference: PictureDifference
        /// Empty where no weights were given.
        let features, originalFeatures: [Float]
    }

    private let networks: PerceptualNetworks
    private var differences: [PictureDifference] = []
    private var sources: [String] = []
    private var features: (drawn: [Float], originals: [Float]) = ([], [])

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
            features: networks.inception?.features(of: drawn).values ?? [], originalFeatures: original.features)
    }

    mutating func add(_ reading: Reading, of source: String) {
        differences.append(reading.difference)
        sources.append(source)
        features.drawn += reading.features
        features.originals += reading.originalFeatures
    }

    /// - Precondition: at least one picture was added.
    var figures: PictureFigures {
        let n = differences.count
        let distance =
            networks.inception == nil || n < 2
            ? nil
            : FeatureDistance(
                Tensor(features.drawn, shape: [n, InceptionNetwork.features]), Tensor(features.originals, shape: [n, InceptionNetwork.features]))
        return PictureFigures(
            difference: .mean(differences), distribution: distance, images: n,
            psnr: PictureMean(differences.map(\.psnr), of: sources))
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

    /// Said beside a Fréchet distance of few pictures.
    static func bias(of images: Int) -> String? {
        images >= FeatureDistance.enoughImages
            ? nil
            : "rFID of \(images) images is too large by an unknown amount and compares only with figures of the same \(images) images; KID is unbiased."
    }
}

/// The classifiers behind rFID, KID and LPIPS, as far as their weights were given.
package struct PerceptualNetworks: Sendable {
    let inception: InceptionNetwork?
    let lpips: PerceptualNetwork?

    /// - Parameters:
    ///   - inception: path of ``InceptionNetwork``'s weights.
    ///   - lpips: path of ``PerceptualNetwork``'s weights.
    ///   - imageSize: of the pictures that will be compared.
    /// - Throws: when a file cannot be used, or the pictures are too small.
    package init(inception: String?, lpips: String?, imageSize: Int) throws(FileError) {
        if let lpips, imageSize < PerceptualTrunk.smallestSide {
            throw FileError(path: lpips, reason: "LPIPS needs pictures of at least \(PerceptualTrunk.smallestSide) pixels, not \(imageSize)")
        }
        self.inception = if let inception { try InceptionNetwork(inception) } else { nil }
        self.lpips = if let lpips { try PerceptualNetwork(lpips) } else { nil }
    }

    private init() {
        (inception, lpips) = (nil, nil)
    }

    /// No weights were given.
    package static let none = PerceptualNetworks()
}
