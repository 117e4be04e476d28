import Glibc
import TokenizerCore

/// Training by gradient on cached latents: the paper's AdamW on codebooks and rectifier together, or on a rectifier behind fixed codes.
///
/// The loss is `MSE(z, q(z))`, which moves the codebooks only, plus `MSE(z, g(stop_gradient(q(z))))`, which moves the rectifier only.
/// Source: ReVQ (arXiv 2507.10547) and its published code.
public struct QuantizerTrainer {
    public struct Options: Codable, Equatable, Sendable {
        public var epochs: Int
        /// Images per step.
        public var batch: Int
        /// Of the codebooks; the rectifier has 0.05 of it. Both fall to a twentieth over the run, epoch by epoch.
        public var learningRate: Float
        public var reset: CodebookReset
        /// Whether the codes move; otherwise only the rectifier is trained.
        public var movesCodes: Bool

        public init(epochs: Int, batch: Int, learningRate: Float, reset: CodebookReset, movesCodes: Bool) {
            (self.epochs, self.batch, self.learningRate, self.reset, self.movesCodes) = (epochs, batch, learningRate, reset, movesCodes)
        }
    }

    /// Mean squared errors of a batch before the step.
    public struct Losses: Sendable {
        public let quantized: Double
        public let rectified: Double
    }

    private static let rectifierShare: Float = 0.05
    private static let rectifierWeightDecay: Float = 1e-4
    private static let gradientNormLimit = 1.0
    private static let finalShare = 0.05

    let options: Options
    private(set) var quantizer: GroupQuantizer
    private(set) var rectifier: Rectifier
    private(set) var usage: CodeUsage
    private let shape: LatentShape
    private let imageCount: Int
    private let root: RandomSource
    /// The order of the images in the epoch it is for.
    private var order: (epoch: Int, images: [Int])?
    /// Steps taken so far.
    private(set) var step = 0
    private var quantizerOptimizer = AdamW(weightDecay: 0)
    private var rectifierOptimizer = AdamW(weightDecay: rectifierWeightDecay)

    /// - Parameter imageCount: how many images an epoch has.
    public init(
        _ quantizer: GroupQuantizer, _ rectifier: Rectifier, shape: LatentShape, options: Options, imageCount: Int, seed: UInt64
    ) {
        (self.quantizer, self.rectifier, self.shape, self.options) = (quantizer, rectifier, shape, options)
        self.imageCount = imageCount
        usage = CodeUsage(quantizer.layout)
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "fit"))
    }

    var stepsPerEpoch: Int { (imageCount + options.batch - 1) / options.batch }
    var totalSteps: Int { options.epochs * stepsPerEpoch }

    /// One step; at the end of an epoch also the reset.
    /// - Parameter latents: all training latents, normalised, `[imageCount, C·H·W]`.
    public mutating func advance(on latents: Tensor) -> Losses {
        let epoch = step / stepsPerEpoch
        let z = latents.rows(batch(epoch: epoch, index: step % stepsPerEpoch))
        let rate = options.learningRate * Float(pow(Self.finalShare, Double(epoch) / Double(options.epochs)))
        let runs = quantizer.runs(z)
        let tokens = quantizer.tokens(ofRuns: runs)
        let codes = quantizer.codes(tokens)
        let q = quantizer.latents(ofRuns: codes)
        usage.add(tokens, codes, runs, importance: quantizer.importance)
        let losses = Losses(
            quantized: moveCodebooks(towards: runs, codes, tokens, rate),
            rectified: moveRectifier(towards: z, q, rate * Self.rectifierShare))
        step += 1
        if step % stepsPerEpoch == 0 { finishEpoch(epoch) }
        return losses
    }

    private mutating func moveCodebooks(towards runs: Tensor, _ codes: Tensor, _ tokens: Tokens, _ rate: Float) -> Double {
        let (loss, dq) = quantizer.distortion(codes, runs)
        guard options.movesCodes else { return loss }
        let gradient = CodeGradient(quantizer.layout, dq, at: tokens)
        let scale = gradient.clippingFactor(limit: Self.gradientNormLimit)
        quantizerOptimizer.update(&quantizer, gradient: gradient, learningRate: rate, scale: scale)
        return loss
    }

    private mutating func moveRectifier(towards z: Tensor, _ q: Tensor, _ rate: Float) -> Double {
        var kept = Activations.keeping
        let y = rectifier.forward(shape.featureMap(q), keeping: &kept)
        let (loss, dy) = SquaredError.loss(y, shape.featureMap(z))
        guard rectifier.configuration.network.isTrained else { return loss }
        var gradient = rectifier.zeroed()
        _ = rectifier.backward(dy, from: &kept, into: &gradient)
        let scale = gradient.clippingFactor(limit: Self.gradientNormLimit)
        rectifierOptimizer.update(&rectifier, gradient: gradient, learningRate: rate, scale: scale)
        return loss
    }

    private mutating func finishEpoch(_ epoch: Int) {
        // The published code starts its counts at one, so that nothing is dead after the first epoch.
        if options.movesCodes && !(options.reset == .code && epoch == 0) {
            options.reset.apply(to: &quantizer, usage: usage, random: root.substream(UInt64(epoch)).substream(1))
        }
        usage = CodeUsage(quantizer.layout)
    }

    /// The images of one step: the epoch's permutation, cut into batches; the last may be smaller.
    private mutating func batch(epoch: Int, index: Int) -> ArraySlice<Int> {
        if order?.epoch != epoch {
            var random = root.substream(UInt64(epoch))
            order = (epoch, random.permutation(imageCount))
        }
        return order!.images[index * options.batch..<min((index + 1) * options.batch, imageCount)]
    }
}

extension QuantizerTrainer {
    /// Everything a resumed run needs besides options, seed and step.
    var state: [(name: String, tensor: Tensor)] {
        var tensors: [(name: String, tensor: Tensor)] = [("usage", usage.tensor)]
        for (prefix, part) in [("quantizer", quantizer as any Parameterized), ("rectifier", rectifier)] {
            tensors += part.tensors.map { ("\(prefix).\($0.path)", $0.tensor) }
        }
        return tensors + quantizerOptimizer.state(prefix: "optimizer.quantizer") + rectifierOptimizer.state(prefix: "optimizer.rectifier")
    }

    /// Continues from what ``state`` described after `step` steps.
    mutating func restore(_ file: SafetensorsFile, step: Int) throws(FileError) {
        try quantizer.load(from: file, prefix: "quantizer")
        try rectifier.load(from: file, prefix: "rectifier")
        usage = CodeUsage(quantizer.layout, restoring: try file.tensor("usage"))
        self.step = step
        quantizerOptimizer = try AdamW(
            weightDecay: 0, step: options.movesCodes ? step : 0, shapes: [quantizer.codebooks.shape], restoring: file,
            prefix: "optimizer.quantizer")
        let rectifierSteps = rectifier.configuration.network.isTrained ? step : 0
        rectifierOptimizer = try AdamW(
            weightDecay: Self.rectifierWeightDecay, step: rectifierSteps, for: rectifier, restoring: file, prefix: "optimizer.rectifier")
    }
}

extension Tensor {
    /// The chosen rows of a matrix, in the given order.
    func rows(_ indices: some Collection<Int>) -> Tensor {
        let width = c
        var result = Tensor(uninitialized: [indices.count, width])
        result.withMutablePointer { target in
            withPointer { source in
                for (row, index) in indices.enumerated() { (target + row * width).update(from: source + index * width, count: width) }
            }
        }
        return result
    }
}
