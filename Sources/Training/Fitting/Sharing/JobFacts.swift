import Compute
import Files
import Networks

/// What processes that work on one run must have in common, as digests: see `RankGroup.agree(on:)`.
enum JobFacts {
    /// Whatever the run. Two instruction sets round differently, and ranks that choose by what they have computed would part.
    static var common: [(name: String, digest: String)] {
        [("another build", build), ("another instruction set", "\(ComputeContext.current.instructionSet)")]
    }

    /// Of this program's file.
    private static var build: String { (try? FileDigest(of: "/proc/self/exe").sha256) ?? "cannot be read" }

    static func digest(_ value: some Encodable) -> String { FileDigest(contents: JSONFile.bytes(value)).sha256 }
}

extension Tensor {
    /// Of its numbers, to the bit.
    var digest: String {
        FileDigest(contents: withPointer { Array(UnsafeRawBufferPointer(start: $0, count: count * MemoryLayout<Float>.stride)) }).sha256
    }
}

extension Parameterized {
    /// Of all tensors, to the bit.
    var digest: String { FileDigest.sha256(tensors.map(\.tensor.digest).joined()) }
}
