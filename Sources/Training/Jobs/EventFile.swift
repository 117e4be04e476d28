import Files
import Glibc

/// The figures of a run as TensorBoard reads them: a file of records, each a protocol buffer `Event` with scalars.
///
/// Every call of the run makes a file of its own with everything in it, and says so with a `SessionLog`, on which a TensorBoard that looks on
/// drops what it had read before.
/// Source: tensorflow/core/util/event.proto, framework/summary.proto and lib/io/record_writer.cc.
package final class EventFile {
    private let path: String
    private let file: Int32
    /// Seconds since 1970 at which the run would have begun had it never paused.
    private var began: Double?
    private let now: () -> Double

    /// TensorBoard takes every file whose name contains "tfevents", one after the other in the order of the names.
    private static let prefix = "events.out.tfevents."

    /// Makes the folder and the file, in the place of earlier ones.
    /// - Parameter now: seconds since 1970.
    package init(in folder: String, now: @escaping () -> Double = EventFile.clock) throws(FileError) {
        try StoredFolder.create(folder)
        for name in try StoredFolder.names(in: folder) where name.hasPrefix(Self.prefix) { StoredFolder.remove("\(folder)/\(name)") }
        path = "\(folder)/\(Self.prefix)\(Int(now())).revq"
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .system("open", path) }
        self.now = now
        var version = ProtocolBuffer()
        version.double(1, now())
        version.bytes(3, Array("brain.Event:2".utf8))
        try write(version)
        var start = ProtocolBuffer()
        start.integer(1, 1)
        var session = ProtocolBuffer()
        session.double(1, now())
        session.message(7, start)
        try write(session)
    }

    deinit {
        close(file)
    }

    /// - Parameters:
    ///   - seconds: what the run has taken by then, from which the time that TensorBoard shows follows.
    ///   - values: finite or left out.
    package func append(step: Int, seconds: Double, _ values: [String: Double]) throws(FileError) {
        let start = began ?? now() - seconds
        began = start
        var summary = ProtocolBuffer()
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where value.isFinite {
            var scalar = ProtocolBuffer()
            scalar.bytes(1, Array(name.utf8))
            scalar.float(2, Float(value))
            summary.message(1, scalar)
        }
        var event = ProtocolBuffer()
        event.double(1, start + seconds)
        event.integer(2, step)
        event.message(5, summary)
        try write(event)
    }

    /// A record: length, its checksum, the bytes, their checksum; little-endian.
    private func write(_ message: ProtocolBuffer) throws(FileError) {
        let length = withUnsafeBytes(of: UInt64(message.contents.count).littleEndian) { Array($0) }
        let record = length + CRC32.castagnoli.masked(length) + message.contents + CRC32.castagnoli.masked(message.contents)
        guard record.withUnsafeBytes({ Glibc.write(file, $0.baseAddress, $0.count) }) == record.count else { throw .system("write", path) }
    }

    package static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension CRC32 {
    /// Rotated and shifted, as records have it, because checksums of checksums are weak. Little-endian.
    func masked(_ bytes: [UInt8]) -> [UInt8] {
        let sum = checksum(bytes)
        return withUnsafeBytes(of: ((sum >> 15 | sum << 17) &+ 0xA282_EAD8).littleEndian) { Array($0) }
    }
}
