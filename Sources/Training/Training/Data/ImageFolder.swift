import Glibc
import TokenizerCore

/// The PNG and JPEG files of a folder and the folders in it, in a fixed order.
public struct ImageFolder: Sendable {
    public let root: String
    /// Paths below ``root``, in byte order.
    public let names: [String]
    /// A number that changes when a file is added, removed, renamed or changes its size.
    public let signature: UInt64

    private static let extensions = ["png", "jpg", "jpeg"]
    /// Deeper folders are taken for a loop of links.
    private static let maximumDepth = 32

    /// - Throws: when the folder cannot be listed or holds no such file.
    public init(_ root: String) throws(FileError) {
        var files: [(name: String, bytes: Int)] = []
        try Self.collect(root, prefix: "", depth: 0, into: &files)
        guard !files.isEmpty else { throw FileError(path: root, reason: "\(root) holds no PNG or JPEG files") }
        files.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.root = root
        names = files.map(\.name)
        signature = RandomSource.stream(named: files.map { "\($0.name)\n\($0.bytes)\n" }.joined())
    }

    public var count: Int { names.count }

    /// Decodes one file.
    /// - Throws: naming the file and what is wrong with it.
    public func image(at index: Int) throws(FileError) -> RGBImage {
        let path = "\(root)/\(names[index])"
        let bytes = try StoredFile.read(path)
        do throws(ImageError) {
            return try ImageDecoder.decode(bytes)
        } catch {
            throw FileError(path: path, reason: "\(path): \(error)")
        }
    }

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
            } else if let dot = name.lastIndex(of: "."), extensions.contains(name[name.index(after: dot)...].lowercased()) {
                files.append((prefix + name, Int(status.st_size)))
            }
        }
    }
}
