import ArgumentParser
import TokenizerCore
import Training

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a checkpoint on images: through the tokens, through the autoencoder alone, and block DCT at the same bits.",
        discussion: """
            Prints one line per image in CSV and a summary. With --output also writes results.json, images.csv and report.html there. \
            PSNR is reported over RGB, over the brightness and over red alone, which is what the paper's figures are.
            """)

    @Option(help: "The checkpoint: CHECKPOINTS/MODEL/VERSION.")
    var checkpoint: String
    @Option(help: "PNG and JPEG files: a folder, a .tar file, or a list of such paths, one a line.")
    var images: String
    @Option(help: "A folder for results.json, images.csv and report.html.")
    var output: String?
    @OptionGroup var perceptual: PerceptualWeights
    @OptionGroup var threads: Threads

    func run() throws {
        threads.apply()
        let console = Console()
        let path = checkpoint
        let checkpoint = try Checkpoint(path)
        let manifest = checkpoint.manifest
        let networks = try perceptual.networks(imageSize: manifest.imageSize)
        let pictures = SquareImages(try ImageSource(images), size: manifest.imageSize)
        var evaluation = Evaluation(checkpoint, networks: networks)
        guard try evaluation.measure(pictures, 0..<pictures.count, console) else {
            console.say("stopped; nothing was written")
            return
        }
        let facts = [
            Report.Fact("checkpoint", "\(manifest.name), step \(manifest.step), fingerprint \(manifest.fingerprint)"),
            Report.Fact("autoencoder", "SHA-256 of the weights \(manifest.vae.weights.sha256)"),
            Report.Fact("images", "\(evaluation.entries.count) of \(images)"),
            Report.Fact("crop", "shorter side to \(manifest.imageSize) (bilinear, antialiased), centre square"),
            Report.Fact("reference hash", evaluation.referenceHash),
        ]
        let record = EvaluationRecord(evaluation, facts: facts + perceptual.facts + Report.Fact.thisMachine)
        print(record.csv, terminator: "")
        console.say(evaluation.summary)
        if let output {
            try record.write(to: output, evaluation, pictures)
            console.say("done: \(output)")
        }
    }
}
