import Compute
import Files
import Networks
import Ranks
import TokenizerCore

/// The numbers of one `fit`: Lloyd passes first where asked for, then epochs of gradient steps, then the solution for a linear
/// rectifier. A step is one of each.
struct FitSession {
    private let plan: FitPlan
    private let training: SharedLatents
    let choosing, reporting: Latents
    /// ``training`` as the quantiser compares it with codes.
    private let vectors: SharedRows
    /// Until the passes are over.
    private var lloyd: LloydTrainer?
    /// From then on.
    private var gradient: QuantizerTrainer?
    /// The best of the epochs of gradient steps so far.
    private var best: BestEpoch?
    private var linear: LinearRectifierFit?
    private let loss: RectifierLoss
    private let ranks: RankGroup
    private(set) var step = 0

    /// Images of the choosing part that are drawn where a rectifier is chosen by what is drawn.
    private static let mostDrawn = 32

    /// - Parameters:
    ///   - training: normalised latents to learn from, of which each rank has some.
    ///   - choosing: normalised latents that the best epoch and penalty are chosen by.
    ///   - reporting: normalised latents that the result is measured on.
    ///   - loss: what a rectifier is trained and chosen by.
    ///   - begun: what ``state`` was of an interrupted fit, or of one that had fewer passes or epochs to do.
    /// - Returns: nil when a stop was requested before the first codes were chosen.
    init?(
        _ plan: FitPlan, _ design: QuantizerDesign, training: SharedLatents, choosing: Latents, reporting: Latents, loss: RectifierLoss = .latents,
        begun: SafetensorsFile?, isStopRequested: () -> Bool
    ) throws(FileError) {
        (self.plan, self.training, self.choosing, self.reporting, self.loss, ranks) = (plan, training, choosing, reporting, loss, training.ranks)
        vectors = design.vectors(training)
        let codes =
            if let begun {
                try Self.codes(of: design, training.shape, in: begun)
            } else {
                GroupQuantizer(
                    design.layout, shape: training.shape, transform: design.transform, start: plan.start, from: vectors, seed: plan.seed,
                    stages: plan.passes > 0 ? 1 : nil, isStopRequested: isStopRequested)
            }
        guard let start = codes else { return nil }
        let passesDone = try begun.map { file throws(FileError) in try file.step(Self.passesName) } ?? 0
        step = passesDone
        if passesDone < plan.passes {
            lloyd = LloydTrainer(
                start, passes: plan.passesOfStage, start: plan.start, reset: plan.gradient.reset, seed: plan.seed, ranks: ranks)
        } else {
            startGradient(from: start)
            if let begun { try restore(begun) }
        }
    }

    /// The codes at this moment; after the gradient steps, those of the best epoch.
    var quantizer: GroupQuantizer { lloyd?.quantizer ?? finished?.quantizer ?? trainer.quantizer }
    /// The rectifier, once the passes are over, averaged where asked for; after the gradient steps, that of the best epoch.
    var rectifier: Rectifier { linear?.rectifier ?? finished?.rectifier ?? trainer.averagedRectifier }
    /// The best epoch, once all have been.
    private var finished: BestEpoch? { step < plan.gradientEnd ? nil : best }

    private var trainer: QuantizerTrainer {
        guard let gradient else { preconditionFailure("step \(step) of \(plan.passes) passes is no gradient step") }
        return gradient
    }

    /// One pass, one gradient step, or the solution.
    /// - Returns: its figures, and at the end of an epoch those of the choosing part; nil when a stop was requested during a pass, which is then
    ///   as if it had not begun.
    mutating func advance(isStopRequested: () -> Bool) -> [String: Double]? {
        if lloyd != nil { return advanceLloyd(isStopRequested) }
        return step == plan.gradientEnd ? solve() : gradientStep()
    }

    private mutating func advanceLloyd(_ isStopRequested: () -> Bool) -> [String: Double]? {
        let (vectors, pass) = (vectors, step)
        guard let error = lloyd?.advance(on: vectors, pass: pass, isStopRequested: isStopRequested) else { return nil }
        step += 1
        let quantizer = quantizer
        let quality = LatentQuality(of: choosing, quantizer, .none, ranks: ranks)
        if step == plan.passes { startGradient(from: quantizer) }
        return ["distortion": error, "held_out_distortion": quality.distortion, "held_out_mse": quality.quantizedMSE]
    }

    private mutating func startGradient(from quantizer: GroupQuantizer) {
        lloyd = nil
        let rectifier = Rectifier(plan.rectifier.network.isTrained ? plan.rectifier : .none, shape: training.shape, .random(seed: plan.seed))
        gradient = QuantizerTrainer(
            quantizer, rectifier, options: plan.gradient, loss: loss, imageCount: training.count, seed: plan.seed, ranks: ranks)
    }

    private mutating func gradientStep() -> [String: Double] {
        let training = training
        guard let losses = gradient?.advance(on: training) else { preconditionFailure("step \(step) is no gradient step") }
        step += 1
        var values = ["distortion": losses.quantized, "rectified_mse": losses.rectified, "learning_rate": Double(losses.learningRate)]
        if !loss.isOfLatents { values["rectifier_loss"] = losses.rectifier }
        values["codes_gradient_norm"] = losses.codesGradientNorm
        values["rectifier_gradient_norm"] = losses.rectifierGradientNorm
        guard trainer.step % trainer.stepsPerEpoch == 0 else {
            return values.merging(["codebook_use": trainer.usage.usedShare]) { $1 }
        }
        return values.merging(finishEpoch()) { $1 }
    }

    /// Measures the epoch, and keeps it when it is the best so far.
    private mutating func finishEpoch() -> [String: Double] {
        let (quantizer, rectifier) = (trainer.quantizer, trainer.averagedRectifier)
        let (quality, loss) = judge(quantizer, rectifier)
        if best.map({ loss < $0.loss }) ?? true { best = BestEpoch(quantizer, rectifier, step: step, quality, loss: loss) }
        guard let epoch = trainer.lastEpoch else { preconditionFailure("an epoch that has ended has figures") }
        var values = [
            "codebook_use": epoch.use, "epoch_distortion": epoch.distortion, "held_out_distortion": quality.distortion,
            "held_out_mse": quality.quantizedMSE, "held_out_rectified_mse": quality.rectifiedMSE,
        ]
        if !self.loss.isOfLatents { values["held_out_rectifier_loss"] = loss }
        return values
    }

    /// On the choosing part.
    private func judge(_ quantizer: GroupQuantizer, _ rectifier: Rectifier) -> (quality: LatentQuality, loss: Double) {
        let quality = LatentQuality(of: choosing, quantizer, rectifier, ranks: ranks)
        guard !loss.isOfLatents else { return (quality, quality.rectifiedMSE) }
        let drawn = choosing.spread(Self.mostDrawn)
        let quantized = quantizer.latents(ofVectors: Assignment(of: drawn, by: quantizer, ranks: ranks).codes)
        return (quality, loss(rectifier(quantized.map), drawn.map).value)
    }

    private mutating func solve() -> [String: Double] {
        let fit = LinearRectifierFit(plan.rectifier, behind: quantizer, training: training, choosing: choosing)
        linear = fit
        step += 1
        return ["penalty": fit.penalty, "held_out_rectified_mse": fit.choosingMSE]
    }

    /// On what nothing was learned from or chosen by.
    var quality: LatentQuality { quality(of: reporting, quantizer, rectifier) }

    /// The same, picture by picture.
    /// - Parameter sources: of the latents.
    func errors(of sources: [PictureKey]) -> LatentErrors { LatentErrors(of: reporting, sources, quantizer, rectifier) }

    /// The same figures on the latents that were trained on, without the rectifier; all ranks ask for them together.
    var trainingQuality: LatentQuality { LatentQuality(of: training, quantizer, Rectifier.none) }

    /// Some of the latents that were trained on, spread over all of them; asked for together, too.
    func trainingSample(_ most: Int) -> Latents { training.spread(most) }

    /// After gradient steps: which of them the result is from, and what the last one would have given.
    var epochs: FittedQuantizer.Epochs? {
        best.map { .init(bestStep: $0.step, best: $0.quality, last: quality(of: choosing, trainer.quantizer, trainer.averagedRectifier)) }
    }

    private func quality(of latents: Latents, _ quantizer: GroupQuantizer, _ rectifier: Rectifier) -> LatentQuality {
        LatentQuality(of: latents, quantizer, rectifier)
    }
}

extension FitSession {
    private static let codebooksName = "lloyd.codebooks", passesName = "fit.passes", gradientStepsName = "fit.gradient_steps"

    /// Everything a resumed run needs besides options and latents.
    ///
    /// The solution of a linear rectifier follows from the codes, so it is not stored.
    var state: [(name: String, tensor: Tensor)] {
        if let lloyd { return [(Self.passesName, Tensor(step: step)), (Self.codebooksName, lloyd.quantizer.codebooks)] }
        let steps = [(name: Self.passesName, tensor: Tensor(step: plan.passes)), (name: Self.gradientStepsName, tensor: Tensor(step: trainer.step))]
        return steps + trainer.state + (best?.state(codesMove: plan.gradient.movesCodes) ?? [])
    }

    /// The codes of a ``state``. Where passes were over and now there are more, they go on from where they ended.
    private static func codes(of design: QuantizerDesign, _ shape: LatentShape, in file: SafetensorsFile) throws(FileError) -> GroupQuantizer {
        let layout = design.layout
        let name = file.names.contains(codebooksName) ? codebooksName : "quantizer.embeddings"
        return GroupQuantizer(
            layout, shape: shape, transform: design.transform,
            codebooks: try file.tensor(name, shape: [layout.codebooks, layout.codes, layout.dimension]))
    }

    /// - Precondition: the codes are those of `file`, and the passes are over.
    private mutating func restore(_ file: SafetensorsFile) throws(FileError) {
        let done = file.names.contains(Self.gradientStepsName) ? try file.step(Self.gradientStepsName) : 0
        guard done > 0 else { return }
        try gradient?.restore(file, step: done)
        step = plan.passes + done
        if done >= trainer.stepsPerEpoch {
            best = try BestEpoch(like: trainer, restoring: file, codesMove: plan.gradient.movesCodes) { judge($0, $1) }
        }
    }
}

extension Tensor {
    /// A number of steps. Two floats hold any exactly.
    init(step: Int) {
        self.init([Float(step >> 20), Float(step & 0xf_ffff)], shape: [2])
    }
}

extension SafetensorsFile {
    /// What ``Tensor/init(step:)`` made.
    func step(_ name: String) throws(FileError) -> Int {
        let step = try tensor(name).values
        guard step.count == 2, step.allSatisfy({ (0..<0x1p20).contains($0) }) else { throw FileError(path, "holds no step in \(name)") }
        return Int(step[0]) << 20 | Int(step[1])
    }
}
