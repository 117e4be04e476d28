import Compute
import Files

/// What is wrong with drawn pictures, for a training to lessen: their distance from the originals, pixel by pixel, and how different they look.
package struct PictureLoss: Sendable {
    /// Of pixels in −1 … 1, averaged over all.
    package enum Distance: String, Codable, CaseIterable, Sendable {
        /// The squared difference.
        case mse
        /// The absolute difference.
        case l1
        /// √(difference² + ε²) − ε: l1 that is smooth at nought.
        case charbonnier
    }

    package struct Options: Codable, Equatable, Sendable {
        package var distance: Distance
        package var perceptual: [Term]

        /// A perceptual network and its part in the loss.
        package struct Term: Codable, Equatable, Sendable {
            /// A file as ``PerceptualNetwork`` reads it.
            package var network: String
            package var weight: Double

            package init(network: String, weight: Double) {
                (self.network, self.weight) = (network, weight)
            }
        }

        package init(distance: Distance, perceptual: [Term]) {
            (self.distance, self.perceptual) = (distance, perceptual)
        }

        package static let squaredError = Options(distance: .mse, perceptual: [])

        /// Of the networks' files.
        func digests() throws(FileError) -> [FileDigest] {
            var digests: [FileDigest] = []
            for term in perceptual { digests.append(try FileDigest(of: term.network)) }
            return digests
        }

        /// What is impossible about the numbers, if anything, named as an option of the commands.
        var problem: String? {
            perceptual.first { !($0.weight >= 0 && $0.weight.isFinite) }.map {
                "--perceptual-weight is a number that is not below 0, not \($0.weight)"
            }
        }
    }

    /// The loss of a batch before a step.
    struct Value {
        var squaredError: Double
        /// What is lessened.
        var total: Double
        /// By network, unweighted.
        var perceptual: [Double]
        /// d(total)/dy.
        var gradient: Tensor
    }

    let options: Options
    let networks: [PerceptualNetwork]

    /// Reads the networks.
    package init(_ options: Options) throws(FileError) {
        var networks: [PerceptualNetwork] = []
        for term in options.perceptual { networks.append(try PerceptualNetwork(term.network)) }
        (self.options, self.networks) = (options, networks)
    }

    private init() {
        (options, networks) = (.squaredError, [])
    }

    /// Nothing but the mean squared error.
    package static let squaredError = PictureLoss()

    /// - Parameters:
    ///   - y: `[n, h, w, 3]`.
    ///   - target: of the same shape.
    func callAsFunction(_ y: Tensor, _ target: Tensor) -> Value {
        let squared = SquaredError.loss(y, target)
        var loss = Value(squaredError: squared.value, total: squared.value, perceptual: [], gradient: squared.gradient)
        if let softness = options.distance.softness { (loss.total, loss.gradient) = SmoothAbsoluteError(softness: softness).loss(y, target) }
        for (term, network) in zip(options.perceptual, networks) {
            var (value, gradient) = network.loss(y, target)
            loss.perceptual.append(value)
            loss.total += term.weight * value
            gradient.multiply(by: Float(term.weight))
            loss.gradient.add(gradient)
        }
        return loss
    }

    /// Numbers that it holds for each pixel, beside the pictures: the networks come one after another.
    var floatsPerPixel: Double { networks.map(\.trunk.floatsPerPixel).max() ?? 0 }

    /// As the log calls them, where there is more than the squared error.
    func terms(of value: Value) -> [String: Double] {
        guard options != .squaredError else { return [:] }
        return named(value.perceptual).merging(["loss_total": value.total]) { own, _ in own }
    }

    /// Figures of the networks by the names of their trunks.
    func named(_ perceptual: [Double]) -> [String: Double] {
        Dictionary(zip(networks.map(\.trunk.rawValue), perceptual)) { first, _ in first }
    }

    /// The same without adversary or gradient, for pictures that are only looked at.
    func value(_ y: Tensor, _ target: Tensor) -> (total: Double, perceptual: [Double]) {
        var total = SquaredError.mean(y, target)
        if let softness = options.distance.softness { total = SmoothAbsoluteError(softness: softness).loss(y, target).value }
        let perceptual = networks.map { network in
            let distances = network.distances(y, target)
            return distances.reduce(0, +) / Double(distances.count)
        }
        return (zip(options.perceptual, perceptual).reduce(total) { $0 + $1.0.weight * $1.1 }, perceptual)
    }
}

extension PictureLoss.Distance {
    /// The ε of ``SmoothAbsoluteError``; nil for squares.
    fileprivate var softness: Float? {
        switch self {
        case .mse: nil
        case .l1: 0
        case .charbonnier: 1e-2
        }
    }
}
