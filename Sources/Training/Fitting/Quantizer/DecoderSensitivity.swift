import Compute
import Files
import Locks
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
    static let images = 16
    /// Disturbance in normalised units: near the error that codes leave.
    private static let amplitude: Float = 0.1
    /// Pictures that are decoded at once.
    private static let batch = 8

    /// - Parameters:
    ///   - latents: raw.
    ///   - seed: of the signs.
    ///   - progress: takes how many pictures were decoded, and of how many.
    /// - Returns: nil when a stop was requested before all were disturbed.
    package init?(
        of decoder: AnyLayer, at latents: Latents, _ normalizer: LatentNormalizer, _ box: LatentBox, seed: UInt64,
        progress: (Int, Int) -> Void = { _, _ in }, isStopRequested: () -> Bool
    ) {
        let chosen = latents.spread(Self.images)
        let root = RandomSource(seed: seed, stream: RandomSource.stream(named: "sensitivity"))
        var sums = [Double](repeating: 0, count: box.count * box.count)
        for image in 0..<chosen.count {
            var random = root.substream(UInt64(image))
            let signs = (0..<box.places).map { _ in random.chance(0.5) ? Self.amplitude : -Self.amplitude }
            let found = Self.changes(of: decoder, at: chosen.images(image..<image + 1), normalizer, box, signs) { done in
                progress(image * box.count + done, chosen.count * box.count)
                return !isStopRequested()
            }
            guard let changes = found else { return nil }
            for (i, product) in changes.moments().products.enumerated() { sums[i] += product }
        }
        let scale = 1 / (Double(Self.amplitude) * Double(Self.amplitude) * Double(box.places * chosen.count))
        progress(chosen.count * box.count, chosen.count * box.count)
        gram = SymmetricMatrix(sums.map { Double(Float($0 * scale)) }, n: box.count)
    }

    /// How the picture of one image's latents changes with each element of the boxes: `[values of the picture, box]`.
    /// - Parameter goesOn: is asked, with the number of elements that were disturbed, before more are.
    private static func changes(
        of decoder: AnyLayer, at latents: Latents, _ normalizer: LatentNormalizer, _ box: LatentBox, _ signs: [Float],
        while goesOn: (Int) -> Bool
    ) -> Tensor? {
        let (order, n) = (box.order, box.count)
        let (deviation, start) = (normalizer.deviation.values, latents.map.values)
        let undisturbed = decoder(latents.map)
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
            var pictures = decoder(Tensor(disturbed, shape: [elements.count] + box.shape.map))
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

/// A frozen decoder whose sensitivity at the same latents is asked for several times: what was measured once is remembered.
///
/// Designs that differ only in their groups or codebooks ask the same question, and for a large autoencoder the answer takes minutes.
package final class DecoderProbe: Sendable {
    private struct Answer {
        let box: LatentBox
        let deviation: [Float]
        let seed: UInt64
        let gram: SymmetricMatrix
    }

    private let decoder: AnyLayer
    /// Raw.
    private let latents: Latents
    private let answers = Lock<[Answer]>([])

    /// - Parameter latents: where the decoder is disturbed, raw.
    package init(_ decoder: AnyLayer, at latents: Latents) {
        (self.decoder, self.latents) = (decoder, latents)
    }

    /// See ``DecoderSensitivity/gram``; nil when a stop was requested before it was measured.
    func gram(
        _ normalizer: LatentNormalizer, _ box: LatentBox, seed: UInt64, progress: (Int, Int) -> Void = { _, _ in }, isStopRequested: () -> Bool
    ) -> SymmetricMatrix? {
        let deviation = normalizer.deviation.values
        let known = answers.withLock { $0.first { $0.box == box && $0.deviation == deviation && $0.seed == seed } }
        if let known { return known.gram }
        let found = DecoderSensitivity(
            of: decoder, at: latents, normalizer, box, seed: seed, progress: progress, isStopRequested: isStopRequested)
        guard let measured = found else { return nil }
        answers.withLock { $0.append(Answer(box: box, deviation: deviation, seed: seed, gram: measured.gram)) }
        return measured.gram
    }
}

/// What a decoder was found to feel, in the folder of a run: measuring it takes minutes, and a run may be resumed often.
struct KeptSensitivity {
    private let path: String
    private static let fileName = "sensitivity.safetensors", tensorName = "gram"

    init(in directory: String) {
        path = "\(directory)/\(Self.fileName)"
    }

    /// See ``DecoderSensitivity/gram``; nil before it was measured.
    /// - Parameter n: elements of the box.
    /// - Throws: when the file is damaged, of another shape, or holds what is no number.
    func read(elements n: Int) throws(FileError) -> SymmetricMatrix? {
        guard StoredFile.exists(path) else { return nil }
        let gram = try SafetensorsFile(path).tensor(Self.tensorName, shape: [n, n])
        return SymmetricMatrix(gram.values.map { Double($0) }, n: n)
    }

    func write(_ gram: SymmetricMatrix) throws(FileError) {
        try SafetensorsWriter.write([(Self.tensorName, Tensor(gram.values.map { Float($0) }, shape: [gram.n, gram.n]))], to: path)
    }
}
