import Compute
import Files
import Networks

/// The averaged weights that did best on the choosing part so far.
struct BestAutoencoder {
    private(set) var model: Autoencoder
    /// `[codebooks, N, d]`; nil where these do not change.
    let codebooks: Tensor?
    /// After which they were measured.
    let step: Int
    /// PSNR through the channel in dB, or the loss, negated, where it is another: more is better. Of single precision and finite, so that a saved
    /// state holds it exactly.
    let score: Float

    /// No rounding of pixels lets pictures that are not equal come near it.
    private static let mostDecibels = 1000.0
    private static let (prefix, stepName, scoreName, codesName) = ("best.model", "best.step", "best.psnr", "best.codes")

    init(_ model: Autoencoder, codebooks: Tensor?, step: Int, score: Double) {
        (self.model, self.codebooks, self.step, self.score) = (model, codebooks, step, Float(min(score, Self.mostDecibels)))
    }

    /// Whether pictures have fallen apart since: the loss on the choosing part is the threefold, or PSNR is lower by 5 dB.
    func hasCollapsed(to later: BestAutoencoder) -> Bool { score < 0 ? later.score < 3 * score : later.score < score - 5 }

    /// What ``init(_:restoring:)`` needs.
    var state: [(name: String, tensor: Tensor)] {
        [(Self.stepName, Tensor(step: step)), (Self.scoreName, Tensor([score], shape: [1]))] + model.named(Self.prefix)
            + (codebooks.map { [(Self.codesName, $0)] } ?? [])
    }

    /// - Returns: nil where nothing was measured: no images were held out.
    init?(_ configuration: AutoencoderConfiguration, restoring file: SafetensorsFile) throws(FileError) {
        guard file.names.contains(Self.stepName) else { return nil }
        model = Autoencoder(configuration, .placeholder)
        try model.load(from: file, prefix: Self.prefix)
        codebooks = file.names.contains(Self.codesName) ? try file.tensor(Self.codesName) : nil
        step = try file.step(Self.stepName)
        score = try file.tensor(Self.scoreName, shape: [1]).values[0]
    }
}
