import Compute

/// How much memory an ``Autoencoder`` takes, from its configuration alone: what decides, before anything is allocated, whether a
/// picture is too large.
///
/// Feature maps are counted as the layers hold them. Freed ones wait in a pool for others that fit in them, so that as much again may
/// be held.
package struct AutoencoderMemory: Sendable {
    /// Weights as the kernels arrange them, every convolution in its largest layout.
    package let weightBytes: Int
    /// Feature maps of one image that are alive together, for each of its pixels, while encoding or decoding, whichever takes more.
    private let bytesPerPixel: Double
    /// What a forward pass of both keeps for the backward pass, for each pixel.
    private let keptBytesPerPixel: Double

    /// Buffers are rounded up by an eighth at most.
    private static let bytesPerFloat = 4.5

    package init(_ configuration: AutoencoderConfiguration) {
        let halves = [configuration.family.encoderMemory, configuration.family.decoderMemory]
        weightBytes = Self.clamped(4 * halves.reduce(0) { $0 + $1.weights })
        bytesPerPixel = Self.bytesPerFloat * halves.reduce(0) { max($0, $1.floatsPerPixel) }
        keptBytesPerPixel = Self.bytesPerFloat * halves.reduce(0) { $0 + $1.keptFloatsPerPixel }
    }

    /// An upper bound for encoding and decoding `batch` square images of `imageSize` pixels, weights included.
    package func peakBytes(imageSize: Int, batch: Int) -> Int {
        Self.clamped(Double(weightBytes) + Self.withPool(liveBytes(imageSize: imageSize, batch: batch)))
    }

    /// The same for a training step: forward and backward, with a gradient, two moments, an average of the weights and the best one so far.
    package func trainingPeakBytes(imageSize: Int, batch: Int) -> Int {
        Self.clamped(7 * Double(weightBytes) + Self.withPool(trainingLiveBytes(imageSize: imageSize, batch: batch)))
    }

    /// Feature maps alive together.
    func liveBytes(imageSize: Int, batch: Int) -> Double {
        Double(imageSize) * Double(imageSize) * Double(batch) * bytesPerPixel
    }

    /// What is kept, and while a layer's gradient is formed as much as while its result was, and once more.
    func trainingLiveBytes(imageSize: Int, batch: Int) -> Double {
        Double(imageSize) * Double(imageSize) * Double(batch) * keptBytesPerPixel + 2 * liveBytes(imageSize: imageSize, batch: batch)
    }

    /// How many images may be computed together, at most `most`.
    /// - Throws: when a single one does not fit.
    package func largestBatch(imageSize: Int, atMost most: Int, within limit: MemoryLimit) throws(MemoryShortage) -> Int {
        guard let batch = (1...most).last(where: { peakBytes(imageSize: imageSize, batch: $0) <= limit.bytes }) else {
            throw MemoryShortage(
                purpose: "an image of \(imageSize)×\(imageSize) pixels", neededBytes: peakBytes(imageSize: imageSize, batch: 1),
                limitBytes: limit.bytes)
        }
        return batch
    }

    /// - Throws: when the weights alone do not fit.
    func checkWeights(within limit: MemoryLimit) throws(MemoryShortage) {
        guard weightBytes <= limit.bytes else {
            throw MemoryShortage(purpose: "the weights", neededBytes: weightBytes, limitBytes: limit.bytes)
        }
    }

    /// - Parameter floatsPerPixel: what the loss holds meanwhile, for each pixel of the crops.
    /// - Throws: when a step on `batch` crops does not fit.
    package func checkTraining(
        imageSize: Int, batch: Int, beside floatsPerPixel: Double = 0, within limit: MemoryLimit
    ) throws(MemoryShortage) {
        let besides = Double(imageSize) * Double(imageSize) * Double(batch) * floatsPerPixel * Self.bytesPerFloat
        let needed = Self.clamped(Double(trainingPeakBytes(imageSize: imageSize, batch: batch)) + besides)
        guard needed <= limit.bytes else {
            throw MemoryShortage(
                purpose: "a training step on \(batch) crops of \(imageSize)×\(imageSize) pixels", neededBytes: needed, limitBytes: limit.bytes)
        }
    }

    private static func withPool(_ live: Double) -> Double { live + min(live, Double(BufferPool.maximumHeldBytes)) }
    /// Sizes that come from files may be absurd, and are only compared with limits.
    private static func clamped(_ bytes: Double) -> Int { Int(min(bytes, 1e18)) }
}

/// A computation needs more memory than there is, in one line.
package struct MemoryShortage: Error, Equatable, CustomStringConvertible {
    package let purpose: String
    package let neededBytes: Int
    package let limitBytes: Int

    package var description: String {
        "\(purpose) would take \(Self.gigabytes(neededBytes)) GB of memory in this autoencoder, there are \(Self.gigabytes(limitBytes)) GB"
    }

    private static func gigabytes(_ bytes: Int) -> String {
        let tenths = (bytes + 50_000_000) / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// The numbers that one half of an autoencoder holds, counted by walking through it as a forward pass does.
package struct HalfMemory {
    /// Winograd's transformed kernels have 36 numbers for each pair of channels.
    static let numbersPerKernel = 36.0

    var weights = 0.0
    /// Alive together, for each pixel of the image.
    private(set) var floatsPerPixel = 0.0
    /// Kept for a backward pass, for each pixel of the image.
    private(set) var keptFloatsPerPixel = 0.0

    /// Counts numbers at each position of a level, which has a quarter of the positions of the finer one.
    mutating func hold(_ floats: Double, keeping kept: Double, level: Int) {
        let positionsPerPixel = 1 / Double(1 << (2 * level))
        floatsPerPixel = max(floatsPerPixel, floats * positionsPerPixel)
        keptFloatsPerPixel += kept * positionsPerPixel
    }
}
