import Compute
import Files
import Networks
import TokenizerCore

/// The numbers of one `fit`: Lloyd passes first where asked for, then epochs of gradient steps, then the solution for a linear
/// rectifier. A step is one of each.
struct FitSession {
    private let options: QuantizerRun.Options
    private let shape: LatentShape
    private let training, heldOut: Tensor
    /// ``training`` as the quantiser compares it with codes.
    private let runs: Tensor
    private let passes: Int
    private var lloyd: LloydTrainer
    private var gradient: QuantizerTrainer
    /// The best of the epochs of gradient steps so far.
    private var best: BestEpoch?
    private var linear: LinearRectifierFit?
    private(set) var step = 0

    /// - Parameters:
    ///   - training: normalised latents to learn from, `[n, C·H·W]`.
    ///   - heldOut: normalised latents to measure on.
    ///   - begun: what ``state`` was after so many steps of an interrupted fit.
    /// - Returns: nil when a stop was requested before the first codes were chosen.
    init?(
        _ options: QuantizerRun.Options, _ design: QuantizerDesign, shape: LatentShape, training: Tensor, heldOut: Tensor,
        begun: (step: Int, tensors: SafetensorsFile)?, isStopRequested: () -> Bool
    ) throws(FileError) {
        (self.options, self.shape, self.training, self.heldOut) = (options, shape, training, heldOut)
        passes = options.method == .lloyd ? options.passes : 0
        runs = design.transform?.runs(training) ?? training
        let codes: GroupQuantizer?
        if let begun {
            let layout = design.layout
            let name = begun.step < passes ? Self.codebooksName : "quantizer.embeddings"
            codes = GroupQuantizer(
                layout, transform: design.transform,
                codebooks: try begun.tensors.tensor(name, shape: [layout.codebooks, layout.codes, layout.dimension]))
        } else {
            codes = GroupQuantizer(
                design.layout, transform: design.transform, start: options.quantizer.start, from: runs, seed: options.seed,
                isStopRequested: isStopRequested)
        }
        guard let start = codes else { return nil }
        lloyd = LloydTrainer(start, passes: passes, reset: options.reset, seed: options.seed)
        let isTrained = options.rectifier.network.isTrained
        let rectifier = Rectifier(isTrained ? options.rectifier : .none, shape: shape, .random(seed: options.seed))
        gradient = Self.gradientTrainer(start, rectifier, options, shape, images: training.n)
        if let begun { try restore(begun.tensors, step: begun.step) }
    }

    /// The codes at this moment; after the gradient steps, those of the best epoch.
    var quantizer: GroupQuantizer { step < passes ? lloyd.quantizer : finished?.quantizer ?? gradient.quantizer }
    /// The rectifier at this moment, averaged where asked for; after the gradient steps, that of the best epoch.
    var rectifier: Rectifier { linear?.rectifier ?? finished?.rectifier ?? gradient.averagedRectifier }
    /// The best epoch, once all have been.
    private var finished: BestEpoch? { step < passes + gradient.totalSteps ? nil : best }

    var totalSteps: Int { passes + gradient.totalSteps + (options.rectifier.network.isSolved ? 1 : 0) }

    /// How many images the first `steps` steps read: what takes the time.
    func images(inSteps steps: Int) -> Int {
        let (lloydSteps, rest) = (min(steps, passes), max(0, steps - passes))
        let gradientSteps = min(rest, gradient.totalSteps)
        return lloydSteps * training.n + gradient.images(inSteps: gradientSteps) + (rest - gradientSteps) * training.n
    }

    /// One pass, one gradient step, or the solution.
    /// - Returns: its figures, and at the end of an epoch the held-out ones; nil when a stop was requested during a pass, which is then
    ///   as if it had not begun.
    mutating func advance(isStopRequested: () -> Bool) -> [String: Double]? {
        defer { if step == passes && passes > 0 { startGradient() } }
        if step < passes {
            guard let error = lloyd.advance(on: runs, pass: step, isStopRequested: isStopRequested) else { return nil }
            step += 1
            let quality = quality(of: heldOut, lloyd.quantizer, Rectifier(.none, shape: shape, .placeholder))
            return ["distortion": error, "held_out_distortion": quality.distortion, "held_out_mse": quality.quantizedMSE]
        }
        if step == passes + gradient.totalSteps { return solve() }
        let losses = gradient.advance(on: training)
        step += 1
        let values = ["distortion": losses.quantized, "rectified_mse": losses.rectified]
        guard gradient.step % gradient.stepsPerEpoch == 0 else {
            return values.merging(["codebook_use": gradient.usage.usedShare]) { $1 }
        }
        return values.merging(finishEpoch()) { $1 }
    }

    /// Measures the epoch, and keeps it when it is the best so far.
    private mutating func finishEpoch() -> [String: Double] {
        let (quantizer, rectifier) = (gradient.quantizer, gradient.averagedRectifier)
        let quality = quality(of: heldOut, quantizer, rectifier)
        if best.map({ quality.rectifiedMSE < $0.quality.rectifiedMSE }) ?? true {
            best = BestEpoch(quantizer, rectifier, step: step, quality)
        }
        guard let epoch = gradient.lastEpoch else { preconditionFailure("an epoch that has ended has figures") }
        return [
            "codebook_use": epoch.use, "epoch_distortion": epoch.distortion, "held_out_distortion": quality.distortion,
            "held_out_mse": quality.quantizedMSE, "held_out_rectified_mse": quality.rectifiedMSE,
        ]
    }

    private mutating func solve() -> [String: Double] {
        let fit = LinearRectifierFit(options.rectifier, behind: quantizer, shape: shape, training: training, heldOut: heldOut)
        linear = fit
        step += 1
        return ["penalty": fit.penalty, "held_out_rectified_mse": fit.heldOutMSE]
    }

    var heldOutQuality: LatentQuality { quality(of: heldOut, quantizer, rectifier) }

    /// The same figures on the latents that were trained on, without the rectifier.
    var trainingQuality: LatentQuality { quality(of: training, quantizer, Rectifier(.none, shape: shape, .placeholder)) }

    /// After gradient steps: which of them the result is from, and what the last one would have given.
    var epochs: FittedQuantizer.Epochs? {
        best.map { .init(bestStep: $0.step, last: quality(of: heldOut, gradient.quantizer, gradient.averagedRectifier)) }
    }

    private func quality(of latents: Tensor, _ quantizer: GroupQuantizer, _ rectifier: Rectifier) -> LatentQuality {
        LatentQuality(of: latents, quantizer, rectifier, shape: shape)
    }

    private mutating func startGradient() {
        gradient = Self.gradientTrainer(lloyd.quantizer, gradient.rectifier, options, shape, images: training.n)
    }

    private static func gradientTrainer(
        _ quantizer: GroupQuantizer, _ rectifier: Rectifier, _ options: QuantizerRun.Options, _ shape: LatentShape, images: Int
    ) -> QuantizerTrainer {
        // Behind fixed codes only a network has something to learn.
        let epochs = options.method == .lloyd && !options.rectifier.network.isTrained ? 0 : options.epochs
        return QuantizerTrainer(
            quantizer, rectifier, shape: shape,
            options: .init(
                epochs: epochs, batch: options.batch, learningRate: options.learningRate, reset: options.reset,
                movesCodes: options.method == .adam, gradient: options.gradient),
            imageCount: images, seed: options.seed)
    }
}

extension FitSession {
    /// Everything a resumed run needs besides options, latents and step.
    var state: [(name: String, tensor: Tensor)] {
        step < passes ? [(Self.codebooksName, lloyd.quantizer.codebooks)] : gradient.state + (best?.state(codesMove: codesMove) ?? [])
    }

    /// - Precondition: the codes are those of `file`.
    private mutating func restore(_ file: SafetensorsFile, step: Int) throws(FileError) {
        self.step = step
        guard step >= passes else { return }
        try gradient.restore(file, step: min(step - passes, gradient.totalSteps))
        if gradient.step >= gradient.stepsPerEpoch {
            best = try BestEpoch(like: gradient, restoring: file, codesMove: codesMove) { quality(of: heldOut, $0, $1) }
        }
        // It follows from the codes, so it is not stored.
        if step > passes + gradient.totalSteps {
            self.step -= 1
            _ = solve()
        }
    }

    private static let codebooksName = "lloyd.codebooks"
    private var codesMove: Bool { options.method == .adam }
}
