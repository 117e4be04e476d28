import ArgumentParser
import Jobs
import Laboratory

struct Publish: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a trained tokenizer and publishes it as a checkpoint that revq-server loads.",
        discussion: """
            The checkpoint appears whole or not at all, as the next number under CHECKPOINTS/NAME.

            Examples:
              revq-train publish --vae runs/vae/vae --fit runs/fit/fit --images held-out \\
                --name photographs --checkpoints checkpoints
            """)

    @Option(help: "The autoencoder: a folder of the diffusers layout.")
    var vae: String
    @Option(help: "The quantiser: the result folder of fit.")
    var fit: String
    @Option(
        help:
            "Images to measure on, but for those that autoencoder or quantiser were trained on or chosen by: a folder, a .tar file, or a list of such paths, one a line."
    )
    var images: String
    @Option(help: "Publish a tokenizer of images of this side; by default that of the latents. Needs codebooks that tokens share.")
    var size: Int?
    @Option(help: "Measure on at most so many of them.")
    var most = 256
    @Option(help: "The model's name: letters, digits, dots, dashes and underscores.")
    var name: String
    @Option(help: "The folder that the server watches.")
    var checkpoints: String
    @OptionGroup var file: ConfigurationFile

    func validate() throws {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isPlain, (1...64).contains(name.utf8.count), !name.hasPrefix(".") else {
            throw ValidationError("--name is 1 to 64 letters, digits, dots, dashes and underscores, not starting with a dot")
        }
    }

    func run() throws {
        let console = Console()
        let publication = try Publication(vae: vae, fit: fit, imageSize: size, images: images, most: most)
        console.say("published \(try publication.publish(as: name, under: checkpoints, console: console))")
    }
}
