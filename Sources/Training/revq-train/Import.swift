import ArgumentParser
import Compute
import Files
import Fitting
import Jobs

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes over what others have trained: autoencoders and quantisers.",
        discussion: """
            Examples:
              revq-train import vae --from downloads/dc-ae --output dc-ae
            """,
        subcommands: [ImportAutoencoder.self, ImportQuantizer.self])
}

struct ImportAutoencoder: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vae",
        abstract: "Checks an autoencoder's folder of the diffusers layout and writes it as one folder that the other commands use.",
        discussion: """
            Reads config.json and safetensors, in one file or in several with an index; or what torch.save wrote, which is not run:
            diffusion_pytorch_model.bin, or a tiny autoencoder's …_encoder.pth and …_decoder.pth. fp32, fp16 or bf16.

            Examples:
              revq-train import vae --from downloads/dc-ae --output dc-ae --precision fp16
            """)

    @Option(help: "The folder with config.json.")
    var from: String
    @Option(help: "The folder to make.")
    var output: String
    @Option(help: "fp32 or fp16, for the weights.")
    var precision = SafetensorsWriter.Precision.float32
    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let autoencoder = try AutoencoderImport(from)
        try autoencoder.publish(to: output, precision: precision)
        Console().say("done: \(output), \(autoencoder.parameters) parameters")
    }
}

struct ImportQuantizer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revq",
        abstract: "Turns the published files of ReVQ into a folder that publish takes in the place of fit's.",
        discussion: """
            The files are pickles, which may run code where PyTorch reads them. Here they can only become tensors; anything else is refused.

            Examples:
              revq-train import revq --checkpoint ckpt.pth \\
                --preprocessor preprocessor.pth --vae dc-ae --output runs/published
            """)

    @Option(help: "The published ckpt.pth, with codebooks and rectifier.")
    var checkpoint: String
    @Option(help: "The published preprocessor.pth, with means and deviations of the latents.")
    var preprocessor: String
    @Option(help: "The autoencoder that they belong to: a folder of the diffusers layout.")
    var vae: String
    @Option(help: "The folder to make.")
    var output: String
    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let published = try PublishedQuantizer(checkpoint: checkpoint, preprocessor: preprocessor, vae: vae)
        try published.publish(to: output)
        let console = Console()
        console.say("done: \(output), \(published.summary)")
        console.say("next: revq-train publish --vae \(vae) --fit \(output) --images … --name … --checkpoints …")
    }
}
