import ArgumentParser
import Files
import Glibc
import Jobs
import Tokenization
import TokenizerCore

extension TokenFormat: ExpressibleByArgument {}
extension Views: ExpressibleByArgument {}
extension Framing.Crop: ExpressibleByArgument {}

struct Tokenize: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turns a data set into tokens once, in files that training code reads without a converter.",
        discussion: """
            Goes on where it was interrupted; pictures are known by their contents, so that those that were added, changed or copied cost no \
            more than they must. Pictures that cannot be used are listed in skipped-*.jsonl and counted, and do not change the exit status. \
            Several jobs may fill one folder, each with its own --shard; Kubernetes (JOB_COMPLETION_INDEX with --shards), Slurm arrays and \
            Open MPI's ranks are understood where there is none.

            Examples:
              revq-train tokenize --images train --output tokens \\
                --checkpoint checkpoints/default/000006 --verify 16
              revq-train tokenize --images train --output tokens \\
                --checkpoint checkpoints/default/000006 --shard 0/4
            """)

    @Option(help: "PNG and JPEG files: a folder, a .tar file, or a list of such paths, one a line.")
    var images: String
    @Option(help: "The checkpoint: CHECKPOINTS/MODEL/VERSION.")
    var checkpoint: String
    @Option(help: "The folder for the tokens.")
    var output: String
    @Option(help: "webdataset (tar), llamagen (a tree of .npy), bin (flat numbers) or jsonl.")
    var format = TokenFormat.webdataset
    @Option(help: "What LlamaGen's folders are called: NAME_codes and NAME_labels. (default: the images' name and their size)")
    var name: String?
    @Option(help: "Which versions of each picture: none (as it is), flip (and mirrored), or ten-crop.")
    var views = Views.none
    @Option(help: "The side of the squares in pixels, or the shorter side with --crop none. (default: the checkpoint's)")
    var size: Int?
    @Option(help: "centre (a square, as the server takes it) or none (the whole picture).")
    var crop = Framing.Crop.centre
    @Option(help: "Pictures of a file, and of a share of the work that is done as a whole.")
    var perFile = 1000
    @Option(help: "This job's share of the files: i/n, counted from 0.")
    var shard: String?
    @Option(help: "How many jobs share the work, where the environment only numbers this one.")
    var shards: Int?
    @Option(help: "Draw so many pictures from their tokens in the end, and say how near they come.")
    var verify = 0
    @OptionGroup var threads: Threads
    @OptionGroup var file: ConfigurationFile

    func validate() throws {
        guard (1...1_000_000).contains(perFile) else { throw ValidationError("--per-file is in 1...1000000, not \(perFile)") }
        guard (0...1_000_000).contains(verify) else { throw ValidationError("--verify is in 0...1000000, not \(verify)") }
        if let shards, shards < 1 { throw ValidationError("--shards is at least 1, not \(shards)") }
        if shard != nil && shards != nil { throw ValidationError("--shard says both: leave --shards out") }
        guard let name else { return }
        guard format == .llamagen else { throw ValidationError("--name goes with --format llamagen") }
        guard !name.isEmpty, !name.hasPrefix("."), !name.contains("/"), name.utf8.count <= 200 else {
            throw ValidationError("--name is a name for folders, without slashes and not starting with a dot")
        }
    }

    func run() throws {
        let console = Console()
        let choice = try shard.map { try ShardChoice($0) } ?? ShardChoice(environment: Self.environment, count: shards)
        let encoder = try PictureEncoder(Checkpoint(checkpoint), size: size, crop: crop, views: views)
        let run = try TokenizingRun(
            TokenizingRun.Options(
                images: images, output: output, format: format, name: format == .llamagen ? name ?? defaultName(encoder.size) : nil,
                picturesPerFile: perFile, shard: choice),
            encoder, console)
        guard try run.run() else { try console.stop() }
        if verify > 0 { try run.verify(verify) }
        console.say("done: \(output)")
    }

    /// As LlamaGen calls its own: imagenet256 for pictures of a folder imagenet, or of imagenet.tar.
    private func defaultName(_ size: Int) -> String {
        let last = PathName.last(of: images)
        let stem = last.prefix { $0 != "." }
        return (stem.isEmpty ? "pictures" : stem) + "\(size)"
    }

    private static var environment: [String: String] {
        let names = [
            "JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT", "OMPI_COMM_WORLD_RANK",
            "OMPI_COMM_WORLD_SIZE",
        ]
        return names.reduce(into: [:]) { found, name in found[name] = getenv(name).map { String(cString: $0) } }
    }
}

struct Detokenize: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws the pictures that a folder of tokens stands for, as PNG files named by their numbers.",
        discussion: """
            The tokens must be of the checkpoint, which their fingerprint shows. Started again, it starts over.

            Examples:
              revq-train detokenize --tokens tokens --output drawn \\
                --checkpoint checkpoints/default/000006
            """)

    @Option(help: "A folder that tokenize filled, in any format.")
    var tokens: String
    @Option(help: "The checkpoint that made them: CHECKPOINTS/MODEL/VERSION.")
    var checkpoint: String
    @Option(help: "The folder for the pictures.")
    var output: String
    @OptionGroup var threads: Threads
    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let console = Console()
        let detokenization = try Detokenization(tokens, Checkpoint(checkpoint), output: output, console)
        guard let count = try detokenization.run() else { try console.stop("stopped; the same command starts over") }
        console.say("done: \(Figure.count(count, "picture")) in \(output)")
    }
}
