import ArgumentParser
import Compute
import FoundationEssentials
import Glibc

/// The half of `nearest_code.py` that runs here: reads codebooks and vectors, then answers each line of standard input, `search` or
/// `scan`, with the milliseconds it took.
struct NearestCode: ThreadedCommand {
    static let configuration = CommandConfiguration(
        commandName: "nearest-code", abstract: "Times nearest codes for nearest_code.py: one JSON line for each line of standard input.")

    @Option(help: "Holds the raw 32-bit floats codebooks [codebooks, codes, dimension] and vectors [images, codebooks, dimension]; receives found.")
    var folder: String
    @Option var codebooks: Int
    @Option var codes: Int
    @Option var dimension: Int
    @Option var images: Int
    @Option(help: "Threads; all cores by default.")
    var threads: Int?

    func run() throws {
        let books = try floats("codebooks", [codebooks, codes, dimension])
        let vectors = try floats("vectors", [images, codebooks, dimension])
        var search: CodeSearch?
        let arranging = Stopwatch.milliseconds { search = CodeSearch(books) }
        guard let search else { preconditionFailure("the closure above has run") }
        let scan = CodeScan(books)
        answer("arranging_ms", arranging)
        while let method = readLine() {
            var found: [Int32] = []
            let taken = Stopwatch.milliseconds {
                found =
                    method == "scan"
                    ? scan.nearest(vectors, tokensPerImage: codebooks) : search.nearest(vectors, tokensPerImage: codebooks)
            }
            try found.withUnsafeBytes { try Data($0).write(to: URL(filePath: "\(folder)/found")) }
            answer("ms", taken)
        }
    }

    private func answer(_ name: String, _ milliseconds: Double) {
        print("{\"\(name)\": \(milliseconds)}")
        fflush(nil)
    }

    private func floats(_ name: String, _ shape: [Int]) throws -> Tensor {
        let bytes = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        guard bytes.count == shape.reduce(4, *) else {
            throw ValidationError("\(name) holds \(bytes.count) bytes, \(shape) take \(shape.reduce(4, *))")
        }
        return bytes.withUnsafeBytes { Tensor(Array($0.bindMemory(to: Float.self)), shape: shape) }
    }
}
