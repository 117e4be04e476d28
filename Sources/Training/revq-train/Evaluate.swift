import ArgumentParser
import TokenizerCore
import Training

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a checkpoint on images: PSNR through the tokens, the autoencoder alone, and block DCT.",
        discussion: "Prints one line per image in CSV and a summary.")

    @Option(help: "The checkpoint: CHECKPOINTS/MODEL/VERSION.")
    var checkpoint: String
    @Option(help: "PNG and JPEG files: a folder, a .tar file, or a list of such paths, one a line.")
    var images: String

    func run() throws {
        let console = Console()
        let checkpoint = try Checkpoint(checkpoint)
        let pictures = SquareImages(try ImageSource(images), size: checkpoint.manifest.imageSize)
        var evaluation = Evaluation(checkpoint)
        try evaluation.measure(pictures, 0..<pictures.count, console)
        print("image,psnr,vae_psnr,dct_psnr,quantized_mse,rectified_mse")
        for entry in evaluation.entries {
            let figures = [entry.psnr, entry.vaePSNR, entry.dctPSNR, entry.quantizedMSE, entry.rectifiedMSE]
            print(([entry.name] + figures.map { "\(($0 * 10_000).rounded() / 10_000)" }).joined(separator: ","))
        }
        console.say(evaluation.summary)
    }
}
