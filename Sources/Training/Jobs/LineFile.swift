import Files
import FoundationEssentials
import Glibc

/// A file of JSON values, one a line, that grows line by line and survives being cut off in the middle of one.
package final class LineFile<Line: Codable & Sendable> {
    private let path: String
    private let file: Int32

    /// Opens the file for more lines, made where it is missing.
    /// - Parameter isKept: whether a line that is there stays.
    package init(_ path: String, keeping isKept: (Line) -> Bool) throws(FileError) {
        if StoredFile.exists(path) {
            try StoredFile.write(Self.lines(path).filter(isKept).flatMap(Self.bytes), to: path)
        }
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw FileError(path: path, reason: "\(path): cannot open: \(String(cString: strerror(errno)))") }
        self.path = path
    }

    deinit {
        close(file)
    }

    /// The line is in the system's hands when the call returns: a killed process keeps it.
    package func append(_ line: Line) throws(FileError) {
        try check(Self.bytes(line).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) == $0.count })
    }

    /// Waits until the disk has every line.
    func sync() throws(FileError) {
        try check(fsync(file) == 0)
    }

    /// All whole lines; a last one that was cut off is dropped.
    package static func lines(_ path: String) throws(FileError) -> [Line] {
        let decoder = JSONDecoder()
        return try StoredFile.read(path, maximumBytes: maximumBytes).split(separator: UInt8(ascii: "\n"))
            .compactMap { try? decoder.decode(Line.self, from: Data($0)) }
    }

    /// What a machine can hold at once, and so go on from.
    private static var maximumBytes: Int { 1 << 34 }

    private static func bytes(_ line: Line) -> [UInt8] {
        JSONFile.bytes(line, isPretty: false) + [UInt8(ascii: "\n")]
    }

    private func check(_ isDone: Bool) throws(FileError) {
        guard isDone else { throw FileError(path: path, reason: "\(path): cannot write: \(String(cString: strerror(errno)))") }
    }
}
