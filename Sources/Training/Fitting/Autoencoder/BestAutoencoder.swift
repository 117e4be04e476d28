import Compute
import Files
import Networks

/// The averaged weights that did best on the choosing part so far.
struct BestAutoencoder {
    private(set) var model: Autoencoder
    /// After which they were measured.
    let step: Int
    /// In dB, through the channel; of single precision and finite, so that a saved state holds it exactly.
    let psnr: Float

    /// No rounding of pixels lets pictures that are not equal come near it.
    private static let mostDecibels = 1000.0
    private static let (prefix, stepName, psnrName) = ("best.model", "best.step", "best.psnr")

    init(_ model: Autoencoder, step: Int, psnr: Double) {
        (self.model, self.step, self.psnr) = (model, step, Float(min(psnr, Self.mostDecibels)))
    }

    /// What ``init(_:restoring:)`` needs.
    var state: [(name: String, tensor: Tensor)] {
        [(Self.stepName, Tensor(step: step)), (Self.psnrName, Tensor([psnr], shape: [1]))] + model.named(Self.prefix)
    }

    /// - Returns: nil where nothing was measured: no images were held out.
    init?(_ configuration: AutoencoderConfiguration, restoring file: SafetensorsFile) throws(FileError) {
        guard file.names.contains(Self.stepName) else { return nil }
        model = Autoencoder(configuration, .placeholder)
        try model.load(from: file, prefix: Self.prefix)
        step = try file.step(Self.stepName)
        psnr = try file.tensor(Self.psnrName, shape: [1]).values[0]
    }
}
