import ArgumentParser
import Files
import Fitting
import Jobs
import Laboratory
import Pictures
import TokenizerCore

struct Evaluate: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a checkpoint on images: through the tokens, through the autoencoder alone, and block DCT at the same bits.",
        discussion: """
            Prints one line per image in CSV and a summary. With --output also writes results.json, images.csv and report.html there, and goes \
            on where it was stopped; a folder of something else is refused. \
            PSNR is reported over RGB, over the brightness and over red alone, which is what the paper's figures are.

            Examples:
              revq-train evaluate --checkpoint checkpoints/default/000006 \\
                --images held-out --output runs/evaluation
            """)

    @Option(help: "The checkpoint: CHECKPOINTS/MODEL/VERSION.")
    var checkpoint: String
    @Option(help: "PNG and JPEG files: a folder, a .tar file, or a list of such paths, one a line.")
    var images: String
    @Option(help: "A folder for results.json, images.csv and report.html.")
    var output: String?
    @OptionGroup var perceptual: PerceptualWeights
    @Option(help: "Weights of EfficientNet-Lite0 (a file of Tools/perceptual.py), for a Fréchet distance over its features: FD-EffNetLite0.")
    var classifier: String?
    @OptionGroup var threads: Threads
    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let console = Console()
        let path = checkpoint
        let checkpoint = try Checkpoint(path)
        let (manifest, size) = (checkpoint.manifest, checkpoint.manifest.specification.imageSize)
        let networks = try perceptual.networks(classifier: classifier, imageSize: size)
        let pictures = SquareImages(try ImageSource(images), size: size)
        try networks.check(pictures.source)
        let weights = try perceptual.digests + (classifier.map { [try FileDigest(of: $0)] } ?? [])
        let subject = EvaluationJournal.Subject(manifest, pictures.source, weights: weights)
        let journal = try output.map { try EvaluationJournal(in: $0, of: subject) }
        var evaluation = Evaluation(checkpoint, networks: networks)
        let isComplete = try evaluation.measure(pictures, 0..<pictures.count, console, journal: journal)
        guard isComplete || journal == nil && !evaluation.entries.isEmpty else {
            guard journal == nil else { try console.stop() }
            try console.stop("stopped before the first image")
        }
        if !isComplete {
            console.say(
                "stopped: these are the first \(evaluation.entries.count) of \(Figure.count(pictures.count, "image")); with --output the same command would go on"
            )
        }
        let overlap = try overlap(checkpoint, pictures.source, console)
        if let warning = overlap.warning { console.say(warning) }
        let facts = [
            Report.Fact("checkpoint", "\(manifest.name), version \(manifest.version), fingerprint \(manifest.fingerprint)"),
            Report.Fact("autoencoder", "SHA-256 of the weights \(manifest.vae.weights.sha256)"),
            Report.Fact("images", "\(evaluation.entries.count) of \(images)"),
            Report.Fact("met in training", overlap.fact),
            Report.Fact("crop", "shorter side to \(size) (bilinear, antialiased), centre square"),
            Report.Fact("reference hash", evaluation.referenceHash),
        ]
        let distance = Report.Fact(EfficientNetLite.title, classifier ?? "not measured: no weights were given")
        let record = EvaluationRecord(evaluation, facts: facts + perceptual.facts + [distance] + Report.Fact.thisMachine)
        print(record.csv, terminator: "")
        console.say(evaluation.summary)
        guard isComplete else { throw ExitCode(StopSignal.exitStatus) }
        if let output {
            try record.write(to: output, evaluation, pictures)
            journal?.remove()
            console.say("done: \(output)")
        }
    }

    /// Whether these images were met in training, as the checkpoint says.
    private func overlap(_ checkpoint: Checkpoint, _ source: ImageSource, _ console: Console) throws -> (fact: String, warning: String?) {
        guard let parts = try checkpoint.pictures() else { return ("unknown: the checkpoint does not say which pictures it was made with", nil) }
        let (known, keys) = (parts.seen, PictureIndex(source, console).keys)
        let count = keys.count { $0.map(known.contains) ?? false }
        let fact = "\(count) of \(Figure.count(keys.count, "image")), by their contents"
        guard count > 0 else { return (fact, nil) }
        return (fact, "warning: \(fact), are among those that the checkpoint was trained on or chosen by: the figures are too good for others")
    }
}
