import ArgumentParser
import Compute
import Files
import Glibc
import Images
import Jobs
import Pictures
import Tokenization
import TokenizerCore

/// The half of `tokenizing.py` that runs here: what each line of standard input names, with one line of JSON for each.
///
/// `decode` reads pictures and makes squares of them, `compute` makes tokens of squares that are there already, each as fast as all threads
/// can; `whole` is `revq-train tokenize` without its start.
struct Tokenizing: ThreadedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tokenizes a folder for tokenizing.py: one JSON line for each line of standard input.")

    @Option(help: "The checkpoint: CHECKPOINTS/MODEL/VERSION.")
    var checkpoint: String
    @Option(help: "The pictures: a folder, a .tar file or a list.")
    var images: String
    @Option(help: "A folder that is filled and removed again and again.")
    var output: String
    @Option(help: "Threads; all cores by default.")
    var threads: Int?

    func run() throws {
        let checkpoint = try Checkpoint(self.checkpoint)
        let (tokenizer, source) = (try VisualTokenizer(checkpoint), try ImageSource(images))
        let encoder = try PictureEncoder(checkpoint, size: nil, crop: .centre, views: .none)
        var squares = Squares(source, tokenizer.imageSize)
        while let line = readLine() {
            let start = ContinuousClock.now
            switch line {
            case "decode": try squares.decode()
            case "compute": squares.encode(tokenizer)
            case "whole": try whole(encoder)
            default: throw ValidationError("expected decode, compute or whole, not \(line)")
            }
            print("{\"images\": \(source.count), \"seconds\": \(start.duration(to: .now).milliseconds / 1000)}")
            fflush(nil)
        }
        StoredFolder.remove(output)
    }

    private func whole(_ encoder: PictureEncoder) throws {
        StoredFolder.remove(output)
        let options = TokenizingRun.Options(images: images, output: output, format: .webdataset, name: nil, picturesPerFile: 1000, shard: .all)
        guard try TokenizingRun(options, encoder, Console(isTerminal: false) { _ in }).run() else { throw ExitCode.failure }
    }
}

/// Pictures on their way into the encoder.
private struct Squares {
    private let source: ImageSource
    private let size: Int
    private var decoded: [RGBImage] = []

    init(_ source: ImageSource, _ size: Int) {
        (self.source, self.size) = (source, size)
    }

    mutating func decode() throws {
        var squares = [RGBImage?](repeating: nil, count: source.count)
        try squares.withUnsafeMutableBufferPointer { squares in
            let target = squares.baseAddress!
            try Workers.forEachThrowing(source.count) { index throws(FileError) in
                let bytes = try source.bytes(at: index)
                do throws(ImageError) {
                    target[index] = try ImageDecoder.square(bytes[...], ImageHeader.parse(bytes), imageSize: size, limits: ImageLimits())
                } catch {
                    throw FileError(source.name(at: index), "\(error)")
                }
            }
        }
        decoded = squares.compactMap { $0 }
    }

    func encode(_ tokenizer: VisualTokenizer) {
        Workers.forEach(decoded.count) { _ = tokenizer.encode(PixelBatch(images: [decoded[$0]])) }
    }
}
