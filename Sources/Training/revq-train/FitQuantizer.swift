import ArgumentParser
import Fitting
import Jobs
import Ranks

extension QuantizerRun.Method: ExpressibleByArgument {}
extension FitPreset: ExpressibleByArgument {}

struct FitQuantizer: SharedCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit",
        abstract: "Makes codebooks and a rectifier for extracted latents.",
        discussion: """
            Goes on where it was interrupted: call it again with the same options; --passes and --epochs may grow. Ctrl-C saves and exits. \
            Started by mpirun or srun, its ranks share the work, and the same command with any other number of them goes on. \
            The result is in the folder "\(QuantizerRun.resultName)" of the run. \
            It is measured on the reporting part of the split that extract was told; the best epoch and penalty are chosen by the choosing part.

            Examples:
              revq-train fit --latents runs/latents --output runs/fit
              revq-train fit --latents runs/latents --vae dc-ae \\
                --distortion weighted --grouping klt-2 --tokens 512 --codes 16384 \\
                --passes 12 --output runs/fit
              revq-train fit --latents runs/latents --preset 512T \\
                --output runs/paper --minutes 60
              mpirun -np 4 revq-train fit --latents runs/latents \\
                --output runs/fit --threads 4
            """)

    /// What is not given.
    static let usual = QuantizerRun.Options(latents: "")

    @Option(help: "The latents: a folder that extract filled.")
    var latents: String
    @Option(help: "The folder of this run.")
    var output: String
    @Option(help: "The paper's settings: 512T, 256T-B or 256T-L. Other options change single ones of them.")
    var preset: FitPreset?
    @Option(
        help:
            "adam: gradient steps for codebooks and rectifier, as in the paper. lloyd: exact means, then the rectifier. (default: \(FitQuantizer.usual.method.rawValue))"
    )
    var method: QuantizerRun.Method?
    @Option(help: "The autoencoder that made the latents: for --distortion weighted, and to measure pictures.")
    var vae: String?
    @OptionGroup var quantizer: QuantizerArguments
    @Option(help: "Passes of Lloyd's algorithm over the latents, of each stage in its turn. (default: \(FitQuantizer.usual.passes))")
    var passes: Int?
    @Option(help: "Epochs of gradient steps. (default: \(FitQuantizer.usual.epochs))")
    var epochs: Int?
    @Option(help: "Images per gradient step. (default: \(FitQuantizer.usual.batch))")
    var batch: Int?
    @Option(help: "Of the codebooks; the rectifier has 0.05 of it. (default: \(FitQuantizer.usual.learningRate))")
    var learningRate: Float?
    @OptionGroup var gradient: GradientArguments
    @Option(
        help: "What becomes of unused codes after an epoch or pass: none, paper, code or distortion. (default: distortion for lloyd, code for adam)")
    var reset: CodebookReset?
    @OptionGroup var rectifier: RectifierOptions
    @Option(help: "Different seeds give different first codes, orders and first weights.")
    var seed: UInt64 = 0
    @OptionGroup var runOptions: RunOptions
    @OptionGroup var file: ConfigurationFile

    func validate() throws {
        _ = try options
    }

    var threads: Threads { runOptions.resources.threads }

    func run(_ ranks: RankGroup) throws {
        let console = Console(of: ranks)
        let run = try QuantizerRun(output, options: options, console: console, ranks: ranks)
        if ranks.isFirst { try run.directory.keep(options: CommandOptions.text(of: completed)) }
        let isComplete = try run.run(
            saveEvery: runOptions.resources.saveInterval, until: runOptions.limit, events: runOptions.events(in: output))
        guard isComplete else { return try runOptions.ended(console, ranks) }
        console.say("done: \(output)/\(QuantizerRun.resultName)")
    }

    /// With what follows for options that were not given, and without what is meant for this call alone.
    private var completed: FitQuantizer {
        get throws {
            let options = try options
            var all = self
            all.runOptions.minutes = nil
            (all.method, all.passes, all.epochs, all.batch) = (options.method, options.passes, options.epochs, options.batch)
            (all.learningRate, all.reset) = (options.learningRate, options.reset)
            all.quantizer.complete(options.quantizer)
            all.gradient.complete(options.gradient)
            all.rectifier.complete(options.rectifier)
            return all
        }
    }

    /// The preset's options, or this program's own, with those changed that were given.
    private var options: QuantizerRun.Options {
        get throws {
            var options = preset?.options(latents: latents) ?? QuantizerRun.Options(latents: latents)
            if let method { options.change(method: method) }
            quantizer.change(&options.quantizer)
            options.vae = vae
            options.passes = passes ?? options.passes
            options.epochs = epochs ?? options.epochs
            options.batch = batch ?? options.batch
            options.learningRate = learningRate ?? options.learningRate
            gradient.change(&options.gradient)
            options.reset = reset ?? options.reset
            try rectifier.change(&options.rectifier)
            options.seed = seed
            return options
        }
    }
}
