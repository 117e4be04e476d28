import ArgumentParser
import Fitting
import Jobs
import Networks
import TokenizerCore

struct TrainAutoencoder: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "vae",
        abstract: "Trains an autoencoder from images.",
        discussion: """
            Goes on where it was interrupted: call it again with the same options. Ctrl-C saves and exits. \
            The result is in the folder "\(AutoencoderRun.resultName)" of the run.
            """)

    @Option(help: "PNG and JPEG files: a folder, a .tar file, or a list of such paths, one a line.")
    var images: String

    @Option(help: "The folder of this run.")
    var output: String

    @Option(help: "The architecture: a config.json of the diffusers layout, of any family of autoencoders.")
    var config: String

    @Option(help: "A finished autoencoder, whose decoder is trained further; --config may differ from its own in the refiner.")
    var vae: String?

    @Option(
        help:
            "With --vae: what \"fit\" made for it, on whose tokens the decoder is trained. The result is in \"vae\" and \"\(AutoencoderRun.fitName)\"."
    )
    var fit: String?

    @Option(help: "Images are brought to squares of this side first: shorter side resized, centre cropped.")
    var size = 256

    @Option(help: "The side of the training crops; a multiple of the autoencoder's factor.")
    var crop = 64

    @OptionGroup var split: SplitOptions

    @Option(help: "Gradient steps; 0 leaves a network beside a patch code at the principal components.")
    var steps = 10_000
    @Option(help: "Crops per step.")
    var batch = 16
    @Option(help: "Parts of a batch that are computed side by side; they divide it. Part of the result, unlike --threads.")
    var shards = 4
    @Option(help: "The peak; reached after --warmup steps, then falling to zero along a cosine.")
    var learningRate: Float = 1e-3
    @Option var warmup = 100
    @Option var weightDecay: Float = 0
    @Option(help: "The gradient norm is clipped to this.")
    var clip = 1.0
    @Option(help: "Train the latents to survive quantisation to so many bits per position; without it they are passed on whole.")
    var latentBits: Double?
    @Option(help: "The result is an average of the weights over about 1 / (1 - this) steps.")
    var averaging: Float = 0.999
    @Flag(help: "Leave the encoder as it starts: with a patch code, the principal components.")
    var decoderOnly = false
    @Option var seed: UInt64 = 0
    @OptionGroup var resources: Resources

    func validate() throws {
        guard (vae == nil) == (fit == nil) else { throw ValidationError("--vae and --fit go together") }
    }

    var threads: Threads { resources.threads }

    func run() throws {
        let start = vae.flatMap { vae in fit.map { AutoencoderRun.Start(vae: vae, fit: $0) } }
        let options = AutoencoderRun.Options(
            images: images, size: size, crop: crop, split: try split.given ?? .usual, seed: seed,
            architecture: try AutoencoderConfiguration(contentsOf: config), start: start,
            training: .init(
                batch: batch, shards: shards, steps: steps, learningRate: learningRate, warmup: warmup, weightDecay: weightDecay,
                clip: clip, latentBits: latentBits, averaging: averaging, isDecoderOnly: decoderOnly || start != nil))
        let console = Console()
        let isComplete = try AutoencoderRun(output, options: options, console: console).run(saveEvery: resources.saveInterval)
        guard isComplete else { try console.stop() }
        console.say("done: \(output)/\(AutoencoderRun.resultName)")
    }
}
