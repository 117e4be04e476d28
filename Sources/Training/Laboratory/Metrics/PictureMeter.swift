import Compute
import Images

/// Collects how far drawn pictures are from their originals.
struct PictureMeter {
    /// A picture that others are compared with; what it costs to look at is computed once.
    struct Original {
        let image: RGBImage
        let features: [Float]

        init(_ image: RGBImage, _ networks: PerceptualNetworks) {
            self.image = image
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
    private var features: (drawn: [Float], originals: [Float]) = ([], [])

    init(_ networks: PerceptualNetworks) {
        self.networks = networks
    }

    /// - Returns: how far this one is.
    /// - Precondition: equal sizes.
    @discardableResult
    mutating func add(_ drawn: RGBImage, _ original: Original) -> PictureDifference {
        let reading = read(drawn, original)
        add(reading)
        return reading.difference
    }

    /// - Precondition: equal sizes.
    func read(_ drawn: RGBImage, _ original: Original) -> Reading {
        Reading(
            difference: PictureDifference(drawn, original.image, lpips: networks.lpips),
            features: networks.inception?.features(of: drawn).values ?? [], originalFeatures: original.features)
    }

    mutating func add(_ reading: Reading) {
        differences.append(reading.difference)
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
        return PictureFigures(difference: .mean(differences), distribution: distance, images: n)
    }
}
