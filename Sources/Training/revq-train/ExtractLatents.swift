import ArgumentParser
import Compute
import Files
import Fitting
import Jobs

extension SafetensorsWriter.Precision: ExpressibleByArgument {
    package init?(argument: String) {
        switch argument {
        case "fp32": self = .float32
        case "fp16": self = .float16
        default: return nil
        }
    }

    package var defaultValueDescription: String {
        switch self {
        case .float32: "fp32"
        case .float16: "fp16"
        }
    }
}

struct ExtractLatents: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Runs images through a frozen encoder, once, and stores the latents.",
        discussion: """
            Goes on where it was interrupted. The files are checksummed; fit notices when one was changed. \
            latents.json names the image of each latent, its label and its part of the split; the held-out pictures are kept beside them.

            Examples:
              revq-train extract --images pictures --vae dc-ae --output runs/latents
              revq-train extract --images pictures --vae dc-ae --output runs/latents \\
                --crops 4 --scales 1 1.5 --folder-labels
            """)

    @Option(help: "PNG and JPEG files: a folder, a .tar file, or a list of such paths, one a line.")
    var images: String
    @Option(help: "The autoencoder: a folder of the diffusers layout.")
    var vae: String
    @Option(help: "The folder for the latents.")
    var output: String
    @Option(help: "Images are brought to squares of this side first.")
    var size = 256
    @Option(help: "fp32 or fp16.")
    var precision = SafetensorsWriter.Precision.float32
    @Option(help: "So many squares of each image at each scale, where its contents say; 1 at scale 1 is the centre square that a server makes.")
    var crops = 1
    @Option(parsing: .upToNextOption, help: "How many times --size the shorter side is resized to before squares are cut; nothing is enlarged.")
    var scales = [1.0]
    @OptionGroup var split: SplitOptions
    @Option(help: "A text file of classes, kept beside the latents: an image's name, a tab or comma, and its label on each line.")
    var labels: String?
    @Flag(help: "Keep the folder that an image lies in as its label.")
    var folderLabels = false
    @OptionGroup var resources: Resources
    @OptionGroup var file: ConfigurationFile

    var threads: Threads { resources.threads }

    func validate() throws {
        if labels != nil && folderLabels { throw ValidationError("--labels and --folder-labels both say what the labels are: choose one") }
    }

    func run() throws {
        let console = Console()
        let extraction = try LatentExtraction(
            to: output, images: images, vae: vae, size: size, precision: precision, crops: .init(crops: crops, scales: scales),
            split: try split.given, labels: labels, hasFolderLabels: folderLabels, console: console)
        // Latents are small, so that more saves than the usual ones cost nothing.
        let isComplete = try extraction.run(saveEvery: min(resources.saveInterval, LatentExtraction.saveInterval))
        guard isComplete else { try console.stop() }
        console.say("done: \(output)")
    }
}
