import Compute
import Files
import Networks
import TokenizerCore

/// Codes and rectifier after the epoch that did best on the choosing part so far.
struct BestEpoch {
    private(set) var quantizer: GroupQuantizer
    private(set) var rectifier: Rectifier
    /// Of the whole fit.
    let step: Int
    let quality: LatentQuality
    /// What it was chosen by, the lower the better: the loss of the rectifier.
    let loss: Double

    private static let stepName = "best.step"

    init(_ quantizer: GroupQuantizer, _ rectifier: Rectifier, step: Int, _ quality: LatentQuality, loss: Double) {
        (self.quantizer, self.rectifier, self.step, self.quality, self.loss) = (quantizer, rectifier, step, quality, loss)
    }

    /// What ``init(like:restoring:codesMove:_:)`` needs.
    /// - Parameter codesMove: whether the codes differ from those at the end.
    func state(codesMove: Bool) -> [(name: String, tensor: Tensor)] {
        [(Self.stepName, Tensor(step: step))] + rectifier.named("best.rectifier") + (codesMove ? quantizer.named("best.quantizer") : [])
    }

    /// - Parameters:
    ///   - trainer: has the shapes, and the codes where they do not move.
    ///   - measure: gives the figures again, to the bit.
    init(
        like trainer: QuantizerTrainer, restoring file: SafetensorsFile, codesMove: Bool,
        _ measure: (GroupQuantizer, Rectifier) -> (quality: LatentQuality, loss: Double)
    ) throws(FileError) {
        var (quantizer, rectifier) = (trainer.quantizer, trainer.rectifier)
        if codesMove { try quantizer.load(from: file, prefix: "best.quantizer") }
        try rectifier.load(from: file, prefix: "best.rectifier")
        let (quality, loss) = measure(quantizer, rectifier)
        self.init(quantizer, rectifier, step: try file.step(Self.stepName), quality, loss: loss)
    }
}
