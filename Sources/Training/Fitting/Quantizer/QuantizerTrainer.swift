import Compute
import Files
import Networks
import Ranks
import TokenizerCore

/// Training by gradient on cached latents: the paper's AdamW on codebooks and rectifier together, or on a rectifier behind fixed codes.
///
/// Source: ReVQ (arXiv 2507.10547) and its published code.
package struct QuantizerTrainer {
    package struct Options: Codable, Equatable, Sendable {
        package var epochs: Int
        /// Images per step.
        package var batch: Int
        /// The peak rate of the codebooks; the rectifier has 0.05 of it.
        package var learningRate: Float
        package var reset: CodebookReset
        /// Whether the codes move; otherwise only the rectifier is trained.
        package var movesCodes: Bool
        package var gradient: GradientOptions

        package init(
            epochs: Int, batch: Int, learningRate: Float, reset: CodebookReset, movesCodes: Bool, gradient: GradientOptions = .published
        ) {
            (self.epochs, self.batch, self.learningRate, self.reset) = (epochs, batch, learningRate, reset)
            (self.movesCodes, self.gradient) = (movesCodes, gradient)
        }

        func stepsPerEpoch(images: Int) -> Int { (images + batch - 1) / batch }
        func steps(images: Int) -> Int { epochs * stepsPerEpoch(images: images) }

        /// How many of `images` images the first `steps` steps take, over all epochs.
        func images(inSteps steps: Int, of images: Int) -> Int {
            let (epochs, rest) = steps.quotientAndRemainder(dividingBy: stepsPerEpoch(images: images))
            return epochs * images + rest * batch
        }
    }

    /// Of a batch, before the step.
    package struct Losses: Sendable {
        /// The quantiser's distortion.
        package let quantized: Double
        /// Mean squared error of the normalised latents after the rectifier.
        package let rectified: Double
        /// What the rectifier is trained by.
        package let rectifier: Double
        /// Of the codebooks.
        package let learningRate: Float
        /// Of the codes' gradient and the rectifier's, before clipping; nil where these do not move.
        package fileprivate(set) var codesGradientNorm, rectifierGradientNorm: Double?
    }

    /// More than memory holds.
    package static let mostBatchImages = 1 << 20
    private static let rectifierShare: Float = 0.05
    private static let rectifierWeightDecay: Float = 1e-4
    private static let gradientNormLimit = 1.0

    let options: Options
    package private(set) var quantizer: GroupQuantizer
    package private(set) var rectifier: Rectifier
    private(set) var usage: CodeUsage
    /// The share of codes that the last whole epoch used, and its mean distortion; nil before its end.
    private(set) var lastEpoch: (use: Double, distortion: Double)?
    private let imageCount: Int
    private let loss: RectifierLoss
    private let ranks: RankGroup
    private let root: RandomSource
    /// The order of the images in the epoch it is for.
    private var order: (epoch: Int, images: [Int])?
    /// Steps taken so far.
    package private(set) var step = 0
    private var quantizerOptimizer = AdamW(weightDecay: 0)
    private var rectifierOptimizer = AdamW(weightDecay: rectifierWeightDecay)
    private var average: WeightAverage<Rectifier>?

    /// - Parameters:
    ///   - imageCount: how many images an epoch has.
    ///   - loss: what the rectifier is trained by.
    ///   - ranks: who shares each batch. The codes that are found, their use and their gradient are to the bit those of one process, the
    ///     rectifier's gradient up to rounding.
    package init(
        _ quantizer: GroupQuantizer, _ rectifier: Rectifier, options: Options, loss: RectifierLoss = .latents, imageCount: Int, seed: UInt64,
        ranks: RankGroup = .alone
    ) {
        (self.quantizer, self.rectifier, self.options) = (quantizer, rectifier, options)
        (self.loss, self.imageCount, self.ranks) = (loss, imageCount, ranks)
        usage = CodeUsage(quantizer.layout)
        root = RandomSource(seed: seed, stream: RandomSource.stream(named: "fit"))
        if options.gradient.averaging > 0 && isTrained { average = WeightAverage(rectifier, decay: options.gradient.averaging) }
    }

    private var isTrained: Bool { rectifier.configuration.network.isTrained }
    package var stepsPerEpoch: Int { options.stepsPerEpoch(images: imageCount) }
    package var totalSteps: Int { options.steps(images: imageCount) }
    /// The rectifier to measure and to publish.
    var averagedRectifier: Rectifier { average?.model ?? rectifier }

    /// One step; at the end of an epoch also the reset.
    /// - Parameter latents: all training latents, normalised: `imageCount` of them.
    package mutating func advance(on latents: Latents) -> Losses { advance(on: SharedLatents(latents)) }

    /// The same where each rank has some of them.
    mutating func advance(on latents: SharedLatents) -> Losses {
        let epoch = step / stepsPerEpoch
        let z = latents.images(at: batch(epoch: epoch, index: step % stepsPerEpoch))
        let rate = options.learningRate * options.gradient.schedule.factor(step: step, stepsPerEpoch: stepsPerEpoch, steps: totalSteps)
        let assignment = Assignment(of: z, by: quantizer, ranks: ranks)
        let errors = assignment.errors()
        usage.add(assignment.tokens, errors)
        var pass = RectifierPass(
            rectifier, quantizer.latents(ofVectors: assignment.codes), z, loss: loss, parts: options.gradient.accumulation, ranks: ranks)
        var losses = Losses(quantized: errors.mean, rectified: pass.squaredError, rectifier: pass.loss, learningRate: rate)
        step += 1
        if options.movesCodes {
            if options.gradient.loss == .joint { pass.completeInputGradient(ranks) }
            let dcodes = options.gradient.loss == .joint ? quantizer.codeGradient(pass.inputGradient) : assignment.gradient
            losses.codesGradientNorm = moveCodes(against: dcodes, assignment.tokens, rate)
        }
        if isTrained { losses.rectifierGradientNorm = moveRectifier(against: pass.gradient, rate * Self.rectifierShare) }
        if step % stepsPerEpoch == 0 { finishEpoch(epoch) }
        return losses
    }

    /// - Parameter dcodes: dL/d(codes of the tokens), `[n, T·d]`.
    /// - Returns: the gradient's norm.
    private mutating func moveCodes(against dcodes: Tensor, _ tokens: Tokens, _ rate: Float) -> Double {
        let gradient = CodeGradient(quantizer.layout, dcodes, at: tokens)
        let norm = gradient.norm
        quantizerOptimizer.update(
            &quantizer, gradient: gradient, learningRate: rate, scale: GradientClipping.factor(norm: norm, limit: Self.gradientNormLimit))
        return norm
    }

    /// - Returns: the gradient's norm.
    private mutating func moveRectifier(against gradient: Rectifier, _ rate: Float) -> Double {
        let norm = gradient.gradientNorm
        rectifierOptimizer.update(
            &rectifier, gradient: gradient, learningRate: rate, scale: GradientClipping.factor(norm: norm, limit: Self.gradientNormLimit))
        average?.add(rectifier, step: step)
        return norm
    }

    private mutating func finishEpoch(_ epoch: Int) {
        let distortion = usage.distortion / Double(imageCount * quantizer.shape.count)
        lastEpoch = (usage.usedShare, distortion)
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
        tensors += quantizer.named("quantizer") + rectifier.named("rectifier")
        if let average { tensors += average.model.named("average") }
        return tensors + quantizerOptimizer.state(prefix: "optimizer.quantizer") + rectifierOptimizer.state(prefix: "optimizer.rectifier")
    }

    /// Continues from what ``state`` described after `step` steps.
    mutating func restore(_ file: SafetensorsFile, step: Int) throws(FileError) {
        try quantizer.load(from: file, prefix: "quantizer")
        try rectifier.load(from: file, prefix: "rectifier")
        try average?.load(from: file, prefix: "average")
        usage = CodeUsage(quantizer.layout, restoring: try file.tensor("usage"))
        self.step = step
        quantizerOptimizer = try AdamW(
            weightDecay: 0, step: options.movesCodes ? step : 0, shapes: [quantizer.codebooks.shape], restoring: file,
            prefix: "optimizer.quantizer")
        rectifierOptimizer = try AdamW(
            weightDecay: Self.rectifierWeightDecay, step: isTrained ? step : 0, for: rectifier, restoring: file,
            prefix: "optimizer.rectifier")
    }
}

extension Parameterized {
    /// All tensors, their names below `prefix`.
    func named(_ prefix: String) -> [(name: String, tensor: Tensor)] {
        tensors.map { ("\(prefix).\($0.path)", $0.tensor) }
    }
}
