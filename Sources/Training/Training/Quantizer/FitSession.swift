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
    private var linear: LinearRectifierFit?
    private(set) var step = 0

    /// - Parameters:
    ///   - training: normalised latents to learn from, `[n, C·H·W]`.
    ///   - heldOut: normalised latents to measure on.
    init(
        _ options: QuantizerRun.Options, _ design: QuantizerDesign, shape: LatentShape, training: Tensor, heldOut: Tensor
    ) {
        (self.options, self.shape, self.training, self.heldOut) = (options, shape, training, heldOut)
        passes = options.method == .lloyd ? options.passes : 0
        runs = design.transform?.runs(training) ?? training
        let start = GroupQuantizer(
            design.layout, transform: design.transform, start: options.quantizer.start, from: runs, seed: options.seed)
        lloyd = LloydTrainer(start, reset: options.reset, seed: options.seed)
        let isTrained = options.rectifier.network.isTrained
        let rectifier = Rectifier(isTrained ? options.rectifier : .none, shape: shape, .random(seed: options.seed))
        gradient = Self.gradientTrainer(start, rectifier, options, shape, images: training.n)
    }

    var quantizer: GroupQuantizer { step < passes ? lloyd.quantizer : gradient.quantizer }
    var rectifier: Rectifier { linear?.rectifier ?? gradient.rectifier }
    var totalSteps: Int { passes + gradient.totalSteps + (options.rectifier.network.isSolved ? 1 : 0) }
    private var isAfterGradient: Bool { step == passes + gradient.totalSteps }

    /// One pass, one gradient step, or the solution.
    /// - Returns: its figures, and at the end of an epoch the held-out ones.
    mutating func advance() -> [String: Double] {
        defer { if step == passes && passes > 0 { startGradient() } }
        if step < passes {
            let error = lloyd.advance(on: runs, pass: step)
            step += 1
            let quality = LatentQuality(of: heldOut, lloyd.quantizer, Rectifier(.none, shape: shape, .placeholder), shape: shape)
            return ["distortion": error, "held_out_distortion": quality.distortion, "held_out_mse": quality.quantizedMSE]
        }
        if isAfterGradient { return solve() }
        let losses = gradient.advance(on: training)
        step += 1
        var values = ["distortion": losses.quantized, "rectified_mse": losses.rectified]
        if gradient.step % gradient.stepsPerEpoch == 0 {
            let quality = heldOutQuality
            values["held_out_distortion"] = quality.distortion
            values["held_out_mse"] = quality.quantizedMSE
            values["held_out_rectified_mse"] = quality.rectifiedMSE
            values["codebook_use"] = quality.codebookUse
        }
        return values
    }

    private mutating func solve() -> [String: Double] {
        let fit = LinearRectifierFit(options.rectifier, behind: quantizer, shape: shape, training: training, heldOut: heldOut)
        linear = fit
        step += 1
        return ["penalty": fit.penalty, "held_out_rectified_mse": fit.heldOutMSE]
    }

    var heldOutQuality: LatentQuality { LatentQuality(of: heldOut, quantizer, rectifier, shape: shape) }

    /// The same figures on the latents that were trained on, without the rectifier.
    var trainingQuality: LatentQuality {
        LatentQuality(of: training, quantizer, Rectifier(.none, shape: shape, .placeholder), shape: shape)
    }

    /// Everything a resumed run needs besides options, latents and step.
    var state: [(name: String, tensor: Tensor)] {
        step < passes ? [("lloyd.codebooks", lloyd.quantizer.codebooks)] : gradient.state
    }

    mutating func restore(_ file: SafetensorsFile, step: Int) throws(FileError) {
        self.step = step
        if step < passes {
            let codebooks = try file.tensor("lloyd.codebooks")
            guard codebooks.shape == lloyd.quantizer.codebooks.shape else {
                throw FileError(path: file.path, reason: "\(file.path) holds codebooks of another shape")
            }
            var quantizer = lloyd.quantizer
            quantizer.codebooks = codebooks
            lloyd = LloydTrainer(quantizer, reset: options.reset, seed: options.seed)
        } else {
            try gradient.restore(file, step: min(step - passes, gradient.totalSteps))
            // It follows from the codes, so it is not stored.
            if self.step > passes + gradient.totalSteps {
                self.step -= 1
                _ = solve()
            }
        }
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
                movesCodes: options.method == .adam),
            imageCount: images, seed: options.seed)
    }
}
