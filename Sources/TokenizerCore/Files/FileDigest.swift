import Crypto
import FoundationEssentials

/// What a file must still be: its size and the SHA-256 of its bytes.
package struct FileDigest: Sendable, Hashable, Codable {
    package let bytes: Int
    /// 64 lower-case hexadecimal digits.
    package let sha256: String

    /// Whether ``sha256`` has the form of one; it is used in file names.
    package var isWellFormed: Bool { Self.isSHA256(sha256) }

    /// Whether text is 64 lower-case hexadecimal digits.
    package static func isSHA256(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }

    /// Reads the whole file.
    package init(of path: String) throws(FileError) {
        try self.init(of: ReadableFile(path))
    }

    /// Reads the whole file.
    /// - Parameter goesOn: asked before every block; once it says no, reading ends with an error.
    package init(of file: ReadableFile, goesOn: () -> Bool = { true }) throws(FileError) {
        var hash = SHA256()
        for block in file.blocks {
            guard goesOn() else { throw .stopped(file.path) }
            hash.update(data: try file.read(block))
        }
        (bytes, sha256) = (file.count, hash.finalize().hexadecimal)
    }

    /// The digest of a file's bytes as they are in memory.
    /// - Parameter goesOn: asked before every block; once it says no, hashing ends with an error.
    package init(of contents: FileContents, goesOn: () -> Bool = { true }) throws(FileError) {
        var hash = SHA256()
        try contents.withBytes { bytes throws(FileError) in
            for start in stride(from: 0, to: bytes.count, by: Self.blockBytes) {
                guard goesOn() else { throw .stopped(contents.path) }
                hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.blockBytes, bytes.count)]))
            }
        }
        (bytes, sha256) = (contents.count, hash.finalize().hexadecimal)
    }

    private static let blockBytes = 1 << 20

    /// The digest of a file with these bytes.
    package init(contents: [UInt8]) {
        bytes = contents.count
        sha256 = SHA256.hash(data: contents).hexadecimal
    }

    /// The digest of bytes in memory.
    package static func sha256(of bytes: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return hash.finalize().hexadecimal
    }

    /// The digest of text that stands for something.
    package static func sha256(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).hexadecimal
    }
}

extension SHA256.Digest {
    fileprivate var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
