import ArgumentParser
import Fitting

/// What a rectifier is trained by, as options of a command.
struct RectifierLossOptions: ParsableArguments {
    enum Loss: String, ExpressibleByArgument {
        case latent, pixel, perceptual
    }

    static let usualWeight = 0.04

    @Option(
        help:
            "What a rectifier makes small: latent, the error of the latents; pixel, that of what the decoder draws of them (needs --vae); perceptual, the same and how different it looks."
    )
    var rectifierLoss = Loss.latent
    @Option(help: "With --rectifier-loss perceptual: the network that looks, a file that Tools/perceptual.py writes.")
    var perceptual: String?
    @Option(
        help: "What its distance is multiplied by, beside the squared error of pixels in -1 ... 1. (default: \(RectifierLossOptions.usualWeight))")
    var perceptualWeight: Double?

    func validate() throws {
        guard (rectifierLoss == .perceptual) == (perceptual != nil) else {
            throw ValidationError("--rectifier-loss perceptual and --perceptual, the network's file, go together")
        }
        guard perceptualWeight == nil || perceptual != nil else { throw ValidationError("--perceptual-weight goes with --perceptual") }
    }

    /// Nil for the latents.
    var chosen: PictureLoss.Options? {
        guard rectifierLoss != .latent else { return nil }
        let terms = perceptual.map { [PictureLoss.Options.Term(network: $0, weight: perceptualWeight ?? Self.usualWeight)] }
        return PictureLoss.Options(distance: .mse, perceptual: terms ?? [])
    }
}
