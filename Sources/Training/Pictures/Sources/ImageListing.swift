import Files
import Glibc

/// The pictures that a path stands for, in their order: what ``ImageSource`` reads.
struct ImageListing {
    /// One picture.
    struct Entry: Sendable {
        let name: String
        let bytes: Int
        let place: Place
        /// Of the file that it is, or the archive that it is in, when it was listed.
        let stamp: FileStamp
    }

    enum Place: Sendable {
        /// The whole file of that name.
        case file
        case member(archive: String, range: Range<Int>)
    }

    /// The folder or archive that names are relative to.
    let root: String
    private(set) var entries: [Entry] = []
    /// Compressed archives that were passed over, names that lead nowhere, and links that lead back to where they lie.
    private var compressed: [String] = [], broken: [String] = [], loops: [String] = []
    /// How many pictures there are in formats that are not read, by the format's name.
    private(set) var unread: [String: Int] = [:]
    /// What is wrong with archives of which only some members were taken, or none.
    private var damaged: [String] = []

    private static let imageExtensions: Set<String> = ["png", "jpg", "jpeg"]
    private static let archiveExtension = "tar"
    private static let compressedExtensions: Set<String> = ["tgz", "tbz2", "txz", "tzst"], compressions: Set<String> = ["gz", "bz2", "xz", "zst"]
    /// Deeper nesting, and more folders, than any collection of pictures has.
    private static let maximumDepth = 32, maximumFolders = 1 << 20
    private static let maximumListBytes = 1 << 28
    /// Names in a remark.
    private static let namedAtMost = 3

    /// See ``ImageSource/init(_:)``.
    init(_ path: String) throws(FileError) {
        if StoredFolder.exists(path) {
            root = path
            try addFolder(path, prefix: "")
        } else if Self.isArchive(path) {
            root = path
            add(try TarArchive(path).members, of: path, prefix: "")
        } else {
            root = PathName.folder(of: path)
            if Self.isImage(path) {
                addPicture(path, named: PathName.last(of: path))
            } else {
                guard !Self.isCompressedArchive(path) else { throw FileError(path: path, reason: Self.remark(onCompressed: [path])) }
                try addList(path)
            }
        }
    }

    /// What was passed over and may hold pictures, a line each.
    var remarks: [String] {
        (compressed.isEmpty ? [] : [Self.remark(onCompressed: compressed)])
            + (unread.isEmpty ? [] : [unreadRemark])
            + (broken.isEmpty ? [] : ["\(Self.enumerated(broken)) cannot be followed or examined"])
            + (loops.isEmpty ? [] : ["\(Self.enumerated(loops)): links to folders that they lie in"])
            + damaged.prefix(Self.namedAtMost)
            + (damaged.count > Self.namedAtMost ? ["\(damaged.count - Self.namedAtMost) more archives cannot be read to their ends"] : [])
    }

    private var unreadRemark: String {
        "pictures in formats that are not read, \(ForeignFormat.summary(unread)): convert them to PNG or JPEG"
    }

    static func path(_ name: String, in folder: String) -> String { name.hasPrefix("/") ? name : "\(folder)/\(name)" }

    private static func remark(onCompressed paths: [String]) -> String {
        "\(enumerated(paths)): compressed archives are not read, because a picture in the middle is only found by unpacking all before it; uncompress to .tar first"
    }

    private static func enumerated(_ names: [String]) -> String {
        let rest = names.count - namedAtMost
        return names.prefix(namedAtMost).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }

    private static func fileExtension(_ name: some StringProtocol) -> String? {
        let name = PathName.last(of: String(name))
        guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return nil }
        return name[name.index(after: dot)...].lowercased()
    }

    private static func isImage(_ name: String) -> Bool { fileExtension(name).map(imageExtensions.contains) ?? false }

    private static func unreadFormat(_ name: String) -> String? { fileExtension(name).flatMap(ForeignFormat.named(byExtension:)) }

    private static func isArchive(_ name: String) -> Bool { fileExtension(name) == archiveExtension }

    private static func isCompressedArchive(_ name: String) -> Bool {
        guard let last = fileExtension(name) else { return false }
        return compressedExtensions.contains(last) || compressions.contains(last) && fileExtension(name.dropLast(last.count + 1)) == archiveExtension
    }
}

/// How entries are found.
extension ImageListing {
    /// A file in a folder, by its path below the folder.
    private struct Found {
        let name: String
        let status: stat
    }

    private mutating func addFolder(_ root: String, prefix: String) throws(FileError) {
        var walk = FolderWalk(maximumDepth: Self.maximumDepth, maximumFolders: Self.maximumFolders)
        var found: [Found] = []
        try walk.visit(root) { (name, status) in
            guard let status else { return broken.append("\(root)/\(name)") }
            if Self.isImage(name) || Self.isArchive(name) { found.append(Found(name: name, status: status)) }
            if Self.isCompressedArchive(name) { compressed.append("\(root)/\(name)") }
            if let format = Self.unreadFormat(name) { unread[format, default: 0] += 1 }
        }
        (broken, loops) = (broken + walk.locked, loops + walk.loops)
        found.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for file in found {
            if Self.isImage(file.name) {
                entries.append(Entry(name: prefix + file.name, bytes: Int(file.status.st_size), place: .file, stamp: FileStamp(file.status)))
            } else {
                addArchive("\(root)/\(file.name)", prefix: "\(prefix)\(file.name)/")
            }
        }
    }

    /// An archive among other things: what can be read of it.
    private mutating func addArchive(_ path: String, prefix: String) {
        let archive = TarArchive(salvaging: path)
        if let damage = archive.damage {
            let count = archive.members.count { Self.isImage($0.name) }
            damaged.append(count == 0 ? damage.reason : "the end of \(path), behind its picture \(count): \(damage.reason)")
        }
        add(archive.members, of: path, prefix: prefix)
    }

    private mutating func add(_ members: [TarArchive.Member], of path: String, prefix: String) {
        let stamp = Self.status(of: path).map { FileStamp($0) } ?? .missing
        for format in members.compactMap({ Self.unreadFormat($0.name) }) { unread[format, default: 0] += 1 }
        entries += members.filter { Self.isImage($0.name) }.map {
            Entry(name: prefix + $0.name, bytes: $0.range.count, place: .member(archive: path, range: $0.range), stamp: stamp)
        }
    }

    /// A missing picture counts, too: it is reported when it is asked for.
    private mutating func addPicture(_ path: String, named name: String) {
        let status = Self.status(of: path)
        entries.append(Entry(name: name, bytes: Int(status?.st_size ?? 0), place: .file, stamp: status.map { FileStamp($0) } ?? .missing))
    }

    /// Nil where there is nothing.
    private static func status(of path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    private mutating func addList(_ path: String) throws(FileError) {
        let bytes = try StoredFile.read(path, maximumBytes: Self.maximumListBytes)
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
            throw FileError(path: path, reason: "\(path) is no list of pictures: expected a folder, a .tar file, or text with one path a line")
        }
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let name = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
            let target = Self.path(name, in: root)
            if name.allSatisfy(\.isWhitespace) || name.hasPrefix("#") { continue }
            if Self.isImage(name) {
                addPicture(target, named: name)
            } else if Self.isArchive(name) {
                addArchive(target, prefix: name + "/")
            } else if StoredFolder.exists(target) {
                try addFolder(target, prefix: name + "/")
            } else if Self.isCompressedArchive(name) {
                compressed.append(target)
            } else if let format = Self.unreadFormat(name) {
                unread[format, default: 0] += 1
            } else {
                throw FileError(
                    path: path, reason: "\(path), line \(number + 1): \(name.prefix(80)) is neither a PNG or JPEG file, a .tar file nor a folder")
            }
        }
    }
}
