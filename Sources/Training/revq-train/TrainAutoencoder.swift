import ArgumentParser
import Files
import Fitting
import Jobs
import Laboratory
import Networks
import Pictures
import Ranks
import TokenizerCore

extension TrainedPart: ExpressibleByArgument {}
extension CropAugmentation: ExpressibleByArgument {}

extension LearningRateRange: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }

    package var defaultValueDescription: String { "\(lowest):\(highest)" }
}

struct TrainAutoencoder: SharedCommand {
    private static let usualSteps = 10_000, usualRangeSteps = 200

    static let configuration = CommandConfiguration(
        commandName: "vae",
        abstract: "Trains an autoencoder from images, from nothing or from a finished one.",
        discussion: """
            Goes on where it was interrupted: call it again with the same options; --steps may grow. Ctrl-C saves and exits. \
            Started by mpirun or srun, its ranks share the --shards of every step, and the result is the same with any number of them. \
            The result is in the folder "\(AutoencoderRun.resultName)" of the run, and where other weights did better on the choosing part \
            these are in "\(AutoencoderRun.resultName)\(AutoencoderRun.bestEnding)". With every measurement "\(TrainingReport.name)" shows the curves \
            so far, and what became of some pictures.

            Examples:
              revq-train vae --images pictures --architecture config.json \\
                --output runs/vae
              revq-train vae --images pictures --from dc-ae --train tail \\
                --schedule constant --steps 2000 --output runs/tuned
              revq-train vae --images pictures --from runs/vae/vae \\
                --fit runs/fit/fit --output runs/refined
              revq-train vae --images pictures --from dc-ae --lr-range 1e-6:0.1 \\
                --output runs/range
            """)

    @Option(help: "PNG and JPEG files: a folder, a .tar file, or a list of such paths, one a line.")
    var images: String

    @Option(help: "The folder of this run.")
    var output: String

    @Option(
        help:
            "A config.json of the diffusers layout, of any family of autoencoders. (default: that of --from, from which it may differ in the refiner)"
    )
    var architecture: String?

    @Option(
        name: [.customLong("from"), .customLong("vae")],
        help: "A finished autoencoder that is trained further: a folder of the diffusers layout, of the same family.")
    var from: String?

    @Option(
        help:
            "With --from: what \"fit\" made for it, through whose tokens is trained. The result is in \"vae\" and \"\(AutoencoderRun.fitName)\"."
    )
    var fit: String?

    @Option(
        help:
            "all, with --fit the codes, too; encoder: what tokens mean stays; decoder: the encoder stays as it starts, with a patch code the principal components; or tail: of the decoder the refiner, or the layers at the finest resolution. (default: all; with --fit decoder)"
    )
    var train: TrainedPart?

    @Option(help: "Images are brought to squares of this side first: shorter side resized, centre cropped.")
    var size = 256

    @Option(
        parsing: .upToNextOption,
        help: "The side of the training crops, a multiple of the autoencoder's factor; of several each step takes one at random.")
    var crop = [64]

    @Option(
        help:
            "Crops are cut from whole images, whose shorter side is resized to --size times anything from 1 to this; 1 for crops of the squares.")
    var scale = 1.0

    @Option(
        parsing: .upToNextOption,
        help:
            "What is done to crops besides scaling and mirroring. colour: each channel is made a little stronger or weaker, brighter or darker. (default: nothing)"
    )
    var augment: [CropAugmentation] = []

    @OptionGroup var split: SplitOptions
    @OptionGroup var loss: PictureLossOptions

    @Option(help: "Steps between two measurements on the choosing part, of which the best is kept.")
    var measureEvery = 500

    @Option(
        help:
            "Gradient steps; 0 leaves a network beside a patch code at the principal components. (default: \(TrainAutoencoder.usualSteps); with --lr-range \(TrainAutoencoder.usualRangeSteps))"
    )
    var steps: Int?
    @Option(help: "Crops per step.")
    var batch = 16
    @Option(help: "Parts of a batch that are computed side by side; they divide it. Part of the result, unlike --threads.")
    var shards = 4
    @Option(help: "The peak, reached after --warmup steps.")
    var learningRate: Float = 1e-3
    @Option(
        help: "How the learning rate falls: constant, exponential (to a twentieth) or cosine (to zero). A run with a constant one may grow exactly.")
    var schedule = Schedule.Decay.cosine
    @Option(help: "Steps in which the learning rate rises from zero.")
    var warmup = 100
    @Option(help: "Try learning rates that grow from LO to HI (such as 1e-6:0.1) instead of training, draw the loss, and suggest one.")
    var lrRange: LearningRateRange?
    @Option(help: "How strongly a step shrinks the weights, relative to the learning rate.")
    var weightDecay: Float = 0
    @Option(help: "The gradient norm is clipped to this.")
    var clip = 1.0
    @Option(help: "Train the latents to survive quantisation to so many bits per position; without it they are passed on whole.")
    var latentBits: Double?
    @Option(
        help:
            "With --fit and --train all or encoder: how strongly latents are drawn to what their tokens stand for, of the squared difference. (default: \(StraightThrough.usual.commitment))"
    )
    var commitment: Double?
    @Option(
        help:
            "With --fit and --train all: codes follow the vectors of about 1 / (1 - this) steps. (default: \(StraightThrough.usual.averaging))")
    var codeAveraging: Float?
    @Option(help: "The result is an average of the weights over about 1 / (1 - this) steps.")
    var averaging: Float = 0.999
    @Option(help: "Different seeds give different crops, noise and first weights.")
    var seed: UInt64 = 0
    @OptionGroup var runOptions: RunOptions
    @OptionGroup var file: ConfigurationFile

    func validate() throws {
        guard fit == nil || from != nil else { throw ValidationError("--fit goes with --from, the autoencoder that it was made for") }
        guard from != nil || architecture != nil else {
            throw ValidationError("name --architecture, or --from to train a finished autoencoder further")
        }
        guard isStraightThrough || commitment == nil && codeAveraging == nil else {
            throw ValidationError("--commitment and --code-averaging go with --fit and --train all or encoder: elsewhere no gradient passes tokens")
        }
        guard lrRange == nil || runOptions.minutes == nil else { throw ValidationError("--minutes does not go with --lr-range, which is short") }
    }

    private var isStraightThrough: Bool { fit != nil && (train == .all || train == .encoder) }

    var threads: Threads { runOptions.resources.threads }

    func run(_ ranks: RankGroup) throws {
        let (command, console) = (completed, Console(of: ranks))
        let run = try AutoencoderRun(output, options: command.options, console: console, ranks: ranks)
        if ranks.isFirst { try run.directory.keep(options: CommandOptions.text(of: command)) }
        let events = runOptions.events(in: output)
        if lrRange != nil {
            guard let curve = try run.testRange(events: events) else { try console.stop("stopped; the same command starts over") }
            try LearningRateReport(curve).write(to: "\(output)/\(LearningRateReport.name)")
            console.say(curve.summary)
            console.say("done: \(output)/\(LearningRateReport.name)")
        } else if try run.run(
            saveEvery: runOptions.resources.saveInterval, until: runOptions.limit, events: events,
            measured: { () throws(FileError) in try TrainingReport(output).write() })
        {
            console.say("done: \(output)/\(AutoencoderRun.resultName)")
        } else {
            try runOptions.ended(console, ranks)
        }
    }

    /// With what follows for options that were not given, and without what is meant for this call alone.
    private var completed: TrainAutoencoder {
        var all = self
        all.runOptions.minutes = nil
        all.architecture = architecture ?? from.map { "\($0)/\(Autoencoder.configurationName)" }
        if isStraightThrough {
            all.commitment = commitment ?? StraightThrough.usual.commitment
            all.codeAveraging = codeAveraging ?? StraightThrough.usual.averaging
        }
        all.train = train ?? (fit == nil ? .all : .decoder)
        (all.split.split, all.split.splitSeed) = (split.split ?? Split.usual.shares, split.splitSeed ?? Split.usual.seed)
        all.steps = steps ?? (lrRange == nil ? Self.usualSteps : Self.usualRangeSteps)
        return all
    }

    /// - Precondition: the command is ``completed``.
    private var options: AutoencoderRun.Options {
        get throws {
            AutoencoderRun.Options(
                images: images, size: size, crop: CropSides(crop), scale: scale, augmentations: augment, split: try split.given ?? .usual, seed: seed,
                measureEvery: measureEvery,
                architecture: try AutoencoderConfiguration(contentsOf: architecture!), start: from.map { .init(vae: $0, fit: fit) }, range: lrRange,
                training: .init(
                    batch: batch, shards: shards, steps: steps!, learningRate: learningRate, schedule: Schedule(schedule, warmup: warmup),
                    weightDecay: weightDecay, clip: clip, latentBits: latentBits, averaging: averaging, part: train!,
                    loss: loss.chosen, adversary: loss.adversary,
                    straightThrough: isStraightThrough ? StraightThrough(commitment: commitment!, averaging: codeAveraging!) : nil))
        }
    }
}
