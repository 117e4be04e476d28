import Files
import Jobs

/// A zip archive whose entries are stored as they are, which is how PyTorch writes them: names, and where in the file their bytes lie.
///
/// Nothing is unpacked; a compressed entry is refused. Zip64 is read.
///
/// Source: PKWARE APPNOTE 6.3.
struct StoredZip {
    struct Entry: Equatable {
        /// Of the entry's bytes in the file.
        let range: Range<Int>
        let crc32: UInt32
    }

    let file: ReadableFile
    let entries: [String: Entry]

    /// More entries than any model has tensors.
    private static let maximumEntries = 1 << 20
    private static let maximumDirectoryBytes = 1 << 28

    /// Reads the directory and every local header.
    /// - Throws: when the file is no zip archive, ends early, compresses or encrypts, or has entries that overlap.
    init(_ path: String) throws(FileError) {
        file = try ReadableFile(path)
        let end = try ZipEnd(file)
        guard end.entries <= Self.maximumEntries, end.directory.count <= Self.maximumDirectoryBytes else {
            throw FileError(path: path, reason: "\(path) is refused: its zip directory claims \(end.entries) entries in \(end.directory.count) bytes")
        }
        var reader = ByteReader(try file.read(end.directory), .littleEndian)
        var entries: [String: Entry] = [:]
        var whole: [Range<Int>] = [end.directory]
        for _ in 0..<end.entries {
            guard let record = ZipRecord(&reader) else {
                throw FileError(path: path, reason: "\(path) is damaged: its zip directory ends after \(entries.count) of \(end.entries) entries")
            }
            if let problem = record.problem {
                throw FileError(path: path, reason: "\(path) is refused: its entry \(record.name.prefix(80)) \(problem)")
            }
            let (header, data) = try Self.ranges(of: record, in: file)
            guard entries.updateValue(Entry(range: data, crc32: record.crc32), forKey: record.name) == nil else {
                throw FileError(path: path, reason: "\(path) is refused: it has two entries named \(record.name.prefix(80))")
            }
            whole.append(header.lowerBound..<data.upperBound)
        }
        whole.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        for (first, second) in zip(whole, whole.dropFirst()) where first.upperBound > second.lowerBound {
            throw FileError(path: path, reason: "\(path) is refused: two of its entries share byte \(second.lowerBound)")
        }
        self.entries = entries
    }

    /// The bytes of an entry, which must have the checksum that the archive says.
    /// - Precondition: `entry` is one of ``entries``.
    func bytes(of entry: Entry) throws(FileError) -> [UInt8] {
        let bytes = try file.read(entry.range)
        guard CRC32.zip.checksum(bytes) == entry.crc32 else {
            throw FileError(
                path: file.path, reason: "\(file.path) is damaged: the bytes from \(entry.range.lowerBound) on do not have their checksum")
        }
        return bytes
    }

    /// Where the local header of `record` and its data lie.
    private static func ranges(of record: ZipRecord, in file: ReadableFile) throws(FileError) -> (header: Range<Int>, data: Range<Int>) {
        let fixedBytes = 30
        let start = record.offset
        let damaged = FileError(
            path: file.path, reason: "\(file.path) is damaged or truncated: there is no entry \(record.name.prefix(80)) at byte \(start)")
        guard start <= file.count - fixedBytes else { throw damaged }
        var reader = ByteReader(try file.read(start..<start + fixedBytes), .littleEndian)
        guard reader.integer(4) == 0x0403_4B50, reader.skip(22), let nameBytes = reader.integer(2), let extraBytes = reader.integer(2) else {
            throw damaged
        }
        let data = start + fixedBytes + nameBytes + extraBytes
        guard data <= file.count, record.size <= file.count - data else { throw damaged }
        guard try file.read(start + fixedBytes..<start + fixedBytes + nameBytes).elementsEqual(record.nameBytes) else { throw damaged }
        return (start..<data, data..<data + record.size)
    }
}

/// Where the directory lies, from the records at the end of the file.
private struct ZipEnd {
    let entries: Int
    let directory: Range<Int>

    private static let bytes = 22
    private static let maximumCommentBytes = 65_535

    init(_ file: ReadableFile) throws(FileError) {
        let broken = FileError(path: file.path, reason: "\(file.path) is no zip archive, or it is truncated: there is no directory at its end")
        guard file.count >= Self.bytes else { throw broken }
        let tailStart = max(0, file.count - Self.bytes - Self.maximumCommentBytes)
        let tail = try file.read(tailStart..<file.count)
        let signature: [UInt8] = [0x50, 0x4B, 5, 6]
        guard let found = (0...tail.count - Self.bytes).last(where: { tail[$0..<$0 + 4].elementsEqual(signature) }) else { throw broken }
        var reader = ByteReader(Array(tail[(found + 4)...]), .littleEndian)
        guard reader.skip(6), var entries = reader.integer(2), var size = reader.integer(4), var start = reader.integer(4) else { throw broken }
        if entries == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            (entries, size, start) = try Self.zip64(file, before: tailStart + found, broken)
        }
        guard size <= file.count, start <= file.count - size else { throw broken }
        self.entries = entries
        directory = start..<start + size
    }

    /// The numbers that do not fit into the short record, by way of the locator in front of it.
    private static func zip64(
        _ file: ReadableFile, before end: Int, _ broken: FileError
    ) throws(FileError) -> (entries: Int, size: Int, start: Int) {
        let (locatorBytes, recordBytes) = (20, 56)
        guard end >= locatorBytes else { throw broken }
        var locator = ByteReader(try file.read(end - locatorBytes..<end), .littleEndian)
        guard locator.integer(4) == 0x0706_4B50, locator.skip(4), let start = locator.integer(8), start <= file.count - recordBytes else {
            throw broken
        }
        var record = ByteReader(try file.read(start..<start + recordBytes), .littleEndian)
        guard record.integer(4) == 0x0606_4B50, record.skip(28), let entries = record.integer(8), let size = record.integer(8),
            let directory = record.integer(8)
        else { throw broken }
        return (entries, size, directory)
    }
}

/// One entry of the directory.
private struct ZipRecord {
    let nameBytes: [UInt8]
    let crc32: UInt32
    private(set) var size, offset: Int
    private var compressedSize: Int
    private let flags, method: Int

    var name: String { String(decoding: nameBytes, as: UTF8.self) }

    /// Nil where the directory ends inside it.
    init?(_ reader: inout ByteReader) {
        guard reader.integer(4) == 0x0201_4B50, reader.skip(4), let flags = reader.integer(2), let method = reader.integer(2), reader.skip(4),
            let crc32 = reader.integer(4), let compressedSize = reader.integer(4), let size = reader.integer(4),
            let nameCount = reader.integer(2), let extraCount = reader.integer(2), let commentCount = reader.integer(2), reader.skip(8),
            let offset = reader.integer(4), let name = reader.bytes(nameCount), let extra = reader.bytes(extraCount), reader.skip(commentCount)
        else { return nil }
        (nameBytes, self.crc32, self.flags, self.method) = (name, UInt32(crc32), flags, method)
        (self.size, self.compressedSize, self.offset) = (size, compressedSize, offset)
        // A zip64 field holds just those numbers that are all ones here, in this order.
        var wide = ByteReader(Self.zip64Field(extra), .littleEndian)
        for number in [\ZipRecord.size, \.compressedSize, \.offset] where self[keyPath: number] == 0xFFFF_FFFF {
            guard let value = wide.integer(8) else { return nil }
            self[keyPath: number] = value
        }
    }

    /// Why its bytes cannot be used, if so.
    var problem: String? {
        if flags & 1 != 0 { return "is encrypted" }
        if method != 0 { return "is compressed (method \(method)); PyTorch stores entries as they are" }
        return compressedSize == size ? nil : "has \(compressedSize) bytes in the archive but claims \(size)"
    }

    private static func zip64Field(_ extra: [UInt8]) -> [UInt8] {
        var reader = ByteReader(extra, .littleEndian)
        while let id = reader.integer(2), let count = reader.integer(2), let field = reader.bytes(count) {
            if id == 1 { return field }
        }
        return []
    }
}
