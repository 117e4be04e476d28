import Glibc
import TokenizerCore

/// Pictures in a fixed order, wherever they lie: PNG and JPEG files in a folder, in tar shards, or named by a list.
///
/// Only names and sizes are held; a picture's bytes are read when they are asked for.
public struct ImageSource: Sendable {
    /// One picture.
    private struct Entry: Sendable {
        let name: String
        let bytes: Int
        let place: Place
    }

    private enum Place: Sendable {
        /// The whole file of that name.
        case file
        case member(archive: String, range: Range<Int>)
    }

    /// What was named.
    public let path: String
    /// A number that changes when a picture is added, removed, renamed, moved, or changes its size.
    public let signature: UInt64
    /// The folder or archive that names are relative to.
    private let root: String
    private let entries: [Entry]

    /// - Parameter path: one of
    ///   - a folder, searched to the bottom: its pictures and those in its tar files, in byte order of the paths;
    ///   - a `.tar` file, as WebDataset writes them: its pictures in the archive's order;
    ///   - a text file with the path of a picture, a `.tar` file or a folder on each line, relative to the list's own folder.
    /// - Throws: when nothing can be read there, an archive is damaged, or there is no picture at all.
    public init(_ path: String) throws(FileError) {
        if StoredFolder.exists(path) {
            (root, entries) = (path, try Self.folder(path, prefix: ""))
        } else if Self.isArchive(path) {
            (root, entries) = (path, try Self.archive(path, prefix: ""))
        } else {
            root = PathName.folder(of: path)
            entries = Self.isImage(path) ? [Self.picture(path, named: PathName.last(of: path))] : try Self.list(path, in: root)
        }
        guard !entries.isEmpty else { throw FileError(path: path, reason: "\(path) holds no PNG or JPEG files") }
        self.path = path
        signature = RandomSource.stream(named: entries.lazy.map { "\($0.name)\n\($0.bytes)\n" }.joined())
    }

    public var count: Int { entries.count }

    /// The picture's path below the folder, as the list has it, or in the archive; for an archive's member in a folder or list, the
    /// archive's path and the member's.
    public func name(at index: Int) -> String { entries[index].name }

    /// The picture's file, as it is stored.
    /// - Throws: when it cannot be read, or an archive has changed since this value was made.
    public func bytes(at index: Int) throws(FileError) -> [UInt8] {
        switch entries[index].place {
        case .file: return try StoredFile.read(location(at: index))
        case .member(let archive, let range):
            let file = try ReadableFile(archive)
            guard range.upperBound <= file.count else {
                throw FileError(path: archive, reason: "\(archive) has been cut short since it was opened")
            }
            return try file.read(range)
        }
    }

    /// The decoded picture.
    /// - Throws: naming the file and what is wrong with it.
    public func image(at index: Int) throws(FileError) -> RGBImage {
        let bytes = try bytes(at: index)
        do throws(ImageError) {
            return try ImageDecoder.decode(bytes)
        } catch {
            let path = location(at: index)
            throw FileError(path: path, reason: "\(path): \(error)")
        }
    }

    private func location(at index: Int) -> String { Self.path(entries[index].name, in: root) }
}

extension ImageSource {
    private static let extensions: Set<String> = ["png", "jpg", "jpeg"]
    private static let archiveExtension = "tar"
    /// Deeper folders are taken for a loop of links.
    private static let maximumDepth = 32
    private static let maximumListBytes = 1 << 28

    private static func fileExtension(_ name: String) -> String? {
        guard !PathName.last(of: name).hasPrefix("."), let dot = name.lastIndex(of: ".") else { return nil }
        return name[name.index(after: dot)...].lowercased()
    }

    private static func isImage(_ name: String) -> Bool { fileExtension(name).map(extensions.contains) ?? false }

    private static func isArchive(_ name: String) -> Bool { fileExtension(name) == archiveExtension }

    private static func path(_ name: String, in folder: String) -> String { name.hasPrefix("/") ? name : "\(folder)/\(name)" }

    private static func folder(_ root: String, prefix: String) throws(FileError) -> [Entry] {
        var found: [(name: String, bytes: Int)] = []
        try collect(root, prefix: "", depth: 0, into: &found)
        found.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var entries: [Entry] = []
        for (name, bytes) in found {
            if isImage(name) {
                entries.append(Entry(name: prefix + name, bytes: bytes, place: .file))
            } else {
                entries += try archive("\(root)/\(name)", prefix: "\(prefix)\(name)/")
            }
        }
        return entries
    }

    /// The pictures and archives in `folder` and below.
    private static func collect(
        _ folder: String, prefix: String, depth: Int, into files: inout [(name: String, bytes: Int)]
    ) throws(FileError) {
        guard depth < maximumDepth else {
            throw FileError(path: folder, reason: "\(folder) is nested more than \(maximumDepth) deep; is a link pointing back?")
        }
        for name in try StoredFolder.names(in: folder) where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                try collect(path, prefix: prefix + name + "/", depth: depth + 1, into: &files)
            } else if isImage(name) || isArchive(name) {
                files.append((prefix + name, Int(status.st_size)))
            }
        }
    }

    private static func archive(_ path: String, prefix: String) throws(FileError) -> [Entry] {
        try TarArchive(path).members.filter { isImage($0.name) }.map {
            Entry(name: prefix + $0.name, bytes: $0.range.count, place: .member(archive: path, range: $0.range))
        }
    }

    /// A missing picture counts, too: it is reported when it is asked for.
    private static func picture(_ path: String, named name: String) -> Entry {
        var status = stat()
        return Entry(name: name, bytes: stat(path, &status) == 0 ? Int(status.st_size) : 0, place: .file)
    }

    private static func list(_ path: String, in folder: String) throws(FileError) -> [Entry] {
        let bytes = try StoredFile.read(path, maximumBytes: maximumListBytes)
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
            throw FileError(path: path, reason: "\(path) is no list of pictures: expected a folder, a .tar file, or text with one path a line")
        }
        var entries: [Entry] = []
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let name = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
            let target = Self.path(name, in: folder)
            if name.isEmpty { continue }
            if isImage(name) {
                entries.append(picture(target, named: name))
            } else if isArchive(name) {
                entries += try archive(target, prefix: name + "/")
            } else if StoredFolder.exists(target) {
                entries += try Self.folder(target, prefix: name + "/")
            } else {
                throw FileError(
                    path: path, reason: "\(path), line \(number + 1): \(name.prefix(80)) is neither a PNG or JPEG file, a .tar file nor a folder")
            }
        }
        return entries
    }
}
