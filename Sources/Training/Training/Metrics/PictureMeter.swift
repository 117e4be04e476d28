import TokenizerCore

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
        let difference = PictureDifference(drawn, original.image, lpips: networks.lpips)
        differences.append(difference)
        if let inception = networks.inception {
            features.drawn += inception.features(of: drawn).values
            features.originals += original.features
        }
        return difference
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
