import Pictures

/// Makes a tar archive of small files in memory: the same bytes for the same files, whoever makes it and when.
///
/// Source: POSIX.1-2017, `pax` utility, "ustar Interchange Format".
struct TarWriter {
    private var bytes: [UInt8] = []

    /// - Precondition: the name has at most 100 bytes.
    mutating func add(_ contents: [UInt8], named name: String) {
        bytes += Self.header(name, contents.count) + contents
        bytes += [UInt8](repeating: 0, count: (TarArchive.blockBytes - contents.count % TarArchive.blockBytes) % TarArchive.blockBytes)
    }

    /// The whole archive, with the two empty blocks that end it.
    func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 2 * TarArchive.blockBytes) }

    private static func header(_ name: String, _ size: Int) -> [UInt8] {
        precondition(name.utf8.count <= 100, "\(name) is too long for a header")
        var block = [UInt8](repeating: 0, count: TarArchive.blockBytes)
        func put(_ text: String, at offset: Int) { block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
        // Name, mode, owner, group, size, time, checksum as if of spaces, kind, magic and version.
        put(name, at: 0)
        put("0000644\0" + "0000000\0" + "0000000\0" + octal(size, 11) + "\0" + octal(0, 11) + "\0" + "        " + "0", at: 100)
        put("ustar\0" + "00", at: 257)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
        return block
    }

    private static func octal(_ number: Int, _ digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
