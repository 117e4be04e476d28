import Compute
import Networks
import TokenizerCore

/// How strongly a frozen decoder's picture reacts to its latents: the mean Gram matrix of its Jacobian, JᵀJ, over the elements of a box.
///
/// All boxes are disturbed at once, in one element each, with random signs. Between boxes the signs cancel on average, and what is left
/// are the products of the changes that elements of one box cause.
struct DecoderSensitivity {
    /// `[n, n]` for a box of n elements: the squared change of a picture, summed over its values in −1 … 1, for a unit change of a
    /// normalised element. In single precision, in which it is kept.
    let gram: SymmetricMatrix

    /// Training images that are disturbed.
    private static let images = 16
    /// Disturbance in normalised units: near the error that codes leave.
    private static let amplitude: Float = 0.1
    /// Pictures that are decoded at once.
    private static let batch = 8

    /// - Parameters:
    ///   - latents: raw, `[n, C·H·W]`.
    ///   - seed: of the signs.
    ///   - progress: takes how many pictures were decoded, and of how many.
    /// - Returns: nil when a stop was requested before all were disturbed.
    package init?(
        of decoder: AutoencoderDecoder, at latents: Tensor, _ normalizer: LatentNormalizer, _ box: LatentBox, seed: UInt64,
        progress: (Int, Int) -> Void = { _, _ in }, isStopRequested: () -> Bool
    ) {
        let chosen = latents.spread(Self.images)
        let root = RandomSource(seed: seed, stream: RandomSource.stream(named: "sensitivity"))
        var sums = [Double](repeating: 0, count: box.count * box.count)
        for image in 0..<chosen.n {
            var random = root.substream(UInt64(image))
            let signs = (0..<box.places).map { _ in random.chance(0.5) ? Self.amplitude : -Self.amplitude }
            let found = Self.changes(of: decoder, at: chosen.images(image..<image + 1), normalizer, box, signs) { done in
                progress(image * box.count + done, chosen.n * box.count)
                return !isStopRequested()
            }
            guard let changes = found else { return nil }
            for (i, product) in changes.moments().products.enumerated() { sums[i] += product }
        }
        let scale = 1 / (Double(Self.amplitude) * Double(Self.amplitude) * Double(box.places * chosen.n))
        progress(chosen.n * box.count, chosen.n * box.count)
        gram = SymmetricMatrix(sums.map { Double(Float($0 * scale)) }, n: box.count)
    }

    /// How the picture of one image's latents changes with each element of the boxes: `[values of the picture, box]`.
    /// - Parameter goesOn: is asked, with the number of elements that were disturbed, before more are.
    private static func changes(
        of decoder: AutoencoderDecoder, at latents: Tensor, _ normalizer: LatentNormalizer, _ box: LatentBox, _ signs: [Float],
        while goesOn: (Int) -> Bool
    ) -> Tensor? {
        let (order, n, shape) = (box.order, box.count, box.shape)
        let (deviation, start) = (normalizer.deviation.values, latents.values)
        let undisturbed = decoder(shape.featureMap(latents))
        var changes: [Float] = []
        changes.reserveCapacity(n * undisturbed.count)
        for first in stride(from: 0, to: n, by: batch) {
            guard goesOn(first) else { return nil }
            let elements = first..<min(first + batch, n)
            let disturbed = elements.flatMap { element in
                var copy = start
                for (place, sign) in signs.enumerated() {
                    let index = order[place * n + element]
                    copy[index] += sign * deviation[index]
                }
                return copy
            }
            var pictures = decoder(shape.featureMap(Tensor(disturbed, shape: [elements.count, shape.count])))
            let size = undisturbed.count
            pictures.withMutablePointer { pictures in
                undisturbed.withPointer { undisturbed in
                    for i in 0..<elements.count * size { pictures[i] -= undisturbed[i % size] }
                }
            }
            changes += pictures.values
        }
        return Tensor(changes, shape: [n, undisturbed.count]).swappingInnerAxes(outer: 1, n, undisturbed.count).reshaped([undisturbed.count, n])
    }
}
