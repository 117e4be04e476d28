import Files

/// The regular files of an uncompressed tar archive: their names, and where in the archive their bytes lie.
///
/// Reads ustar, pax and GNU archives, long names included. Links, folders and devices are passed over, and nothing is ever unpacked, so
/// a name that leads elsewhere is only a name.
///
/// Source: POSIX.1-2017, `pax` utility, "ustar Interchange Format" and "pax Interchange Format"; GNU tar manual, "Basic Tar Format".
package struct TarArchive {
    package struct Member: Equatable {
        /// With U+FFFD for control characters, which a terminal would obey.
        package let name: String
        /// In the archive's file.
        package let range: Range<Int>
    }

    /// In the archive's order.
    package let members: [Member]
    /// Why there may be more than ``members``: the archive cannot be opened, or not be read to its end.
    let damage: FileError?

    package static let blockBytes = 512
    private static let maximumNameBytes = 1 << 20

    /// Reads all headers, and no member.
    /// - Throws: when the file is no tar archive, ends early, or says impossible things.
    package init(_ path: String) throws(FileError) {
        self.init(salvaging: path)
        if let damage { throw damage }
    }

    /// Reads the headers as far as they can be read.
    init(salvaging path: String) {
        var members: [Member] = []
        do throws(FileError) {
            try Self.read(path, into: &members)
            damage = nil
        } catch {
            damage = error
        }
        self.members = members
    }

    private static func read(_ path: String, into members: inout [Member]) throws(FileError) {
        let file = try ReadableFile(path)
        var extended = TarExtension()
        var offset = 0
        while let header = try header(file, at: offset) {
            let start = offset + blockBytes
            let size = header.hasData ? extended.size ?? header.size : 0
            guard size <= file.count - start else {
                throw FileError(path: path, reason: "\(path) is truncated: \(size) bytes at byte \(start) of \(file.count) are announced")
            }
            switch header.type {
            case .regular:
                members.append(Member(name: (extended.name ?? header.name).withoutControls, range: start..<start + size))
                extended = TarExtension()
            case .longName, .extended:
                guard size <= maximumNameBytes else {
                    throw FileError(
                        path: path, reason: "\(path) has a name or extended header of \(size) bytes at byte \(offset), more than \(maximumNameBytes)")
                }
                try extended.read(file.read(start..<start + size), as: header.type, path)
            case .passedOver: extended = TarExtension()
            case .sparse: throw .sparse(path)
            }
            offset = start + (size + blockBytes - 1) / blockBytes * blockBytes
        }
    }

    /// The header at `offset`, or nil where the archive says that it ends.
    private static func header(_ file: ReadableFile, at offset: Int) throws(FileError) -> TarHeader? {
        guard offset <= file.count - blockBytes else {
            throw FileError(
                path: file.path,
                reason: offset == 0
                    ? "\(file.path) is no tar archive: it has only \(file.count) bytes"
                    : "\(file.path) is truncated: it ends at byte \(file.count) without the empty block that ends an archive")
        }
        let block = try file.read(offset..<offset + blockBytes)
        if block.allSatisfy({ $0 == 0 }) { return nil }
        guard let header = TarHeader(block) else {
            throw FileError(
                path: file.path,
                reason: offset == 0
                    ? "\(file.path) is no uncompressed tar archive" : "\(file.path) is damaged: there is no tar header at byte \(offset)")
        }
        return header
    }
}

/// What one header block says.
private struct TarHeader {
    enum Kind {
        case regular, longName, extended, sparse
        /// A link, folder or device, or something about the whole archive.
        case passedOver
    }

    let name: String
    let size: Int
    let type: Kind
    /// Whether blocks of data follow: behind links, folders and devices there are none, whatever their size says.
    let hasData: Bool

    /// Nil when the checksum or a number is wrong.
    init?(_ block: [UInt8]) {
        let checksum = 148..<156
        let sum = block.indices.reduce(0) { $0 + (checksum.contains($1) ? 32 : Int(block[$1])) }
        guard Self.number(block[checksum]) == sum, let size = Self.number(block[124..<136]) else { return nil }
        self.size = size
        let flag = block[156]
        hasData = !(UInt8(ascii: "1")...UInt8(ascii: "6")).contains(flag)
        type =
            switch flag {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .regular
            case UInt8(ascii: "L"): .longName
            case UInt8(ascii: "x"): .extended
            case UInt8(ascii: "S"): .sparse
            default: .passedOver
            }
        let base = Self.text(block[0..<100])
        // GNU's own format has other things where POSIX keeps the start of a long path.
        let isPosix = block[257..<263].elementsEqual("ustar\0".utf8)
        let prefix = isPosix ? Self.text(block[345..<500]) : ""
        name = prefix.isEmpty ? base : "\(prefix)/\(base)"
    }

    /// Octal digits between spaces and zeros, or a big-endian number behind a byte of 0x80; nil for anything else.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        if field.first! & 0x80 != 0 {
            guard field.first! == 0x80 else { return nil }
            var value = 0
            for byte in field.dropFirst() {
                guard value >> 54 == 0 else { return nil }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let isBlank = { (byte: UInt8) in byte == 0 || byte == UInt8(ascii: " ") }
        let digits = field.drop(while: { $0 == UInt8(ascii: " ") }).prefix { !isBlank($0) }
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }), field[digits.endIndex...].allSatisfy(isBlank) else {
            return nil
        }
        return digits.reduce(0) { $0 << 3 | Int($1 & 7) }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// What blocks in front of a header say about the member that follows, where its header has no room for it.
private struct TarExtension {
    var name: String?
    var size: Int?

    mutating func read(_ data: [UInt8], as type: TarHeader.Kind, _ path: String) throws(FileError) {
        if type == .longName {
            name = String(decoding: data.prefix { $0 != 0 }, as: UTF8.self)
            return
        }
        var rest = data[...]
        while !rest.isEmpty {
            guard let record = Self.record(&rest), let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw FileError(path: path, reason: "\(path) is damaged: an extended header is not made of lines of \"length key=value\"")
            }
            let key = String(decoding: record[..<equals], as: UTF8.self)
            let value = String(decoding: record[(equals + 1)...], as: UTF8.self)
            if key.hasPrefix("GNU.sparse.") { throw .sparse(path) }
            if key == "path" { name = value }
            if key == "size" {
                guard let number = Int(value), number >= 0 else {
                    throw FileError(path: path, reason: "\(path) is damaged: \(value.prefix(30)) is no size")
                }
                size = number
            }
        }
    }

    /// Takes one "length key=value\n" from the front; the length counts itself and the line feed.
    private static func record(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let digits = rest.prefix(8).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let length = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard length >= digits.count + 2, length <= rest.count, rest[digits.endIndex] == UInt8(ascii: " ") else { return nil }
        let record = rest.prefix(length)
        guard record.last == UInt8(ascii: "\n") else { return nil }
        rest = rest.dropFirst(length)
        return record.dropFirst(digits.count + 1).dropLast()
    }
}

extension FileError {
    fileprivate static func sparse(_ path: String) -> FileError {
        FileError(path: path, reason: "\(path) holds a sparse file, of which only a part is stored: pack it without --sparse")
    }
}
