import Files
import Glibc

/// The files in a folder and below, links followed, hidden names left out.
///
/// Links can lead back to where they came from, which is passed over, or by many ways to one place, which ends in an error and not in an
/// endless walk.
struct FolderWalk {
    private struct Identity: Hashable {
        let device: UInt
        let inode: UInt
    }

    private let maximumDepth, maximumFolders: Int
    private var folders = 0
    /// From the first folder to the present one.
    private var trail: [Identity] = []
    /// Links to folders that they lie in, and folders below the first that cannot be listed.
    private(set) var loops: [String] = [], locked: [String] = []

    init(maximumDepth: Int, maximumFolders: Int) {
        (self.maximumDepth, self.maximumFolders) = (maximumDepth, maximumFolders)
    }

    /// Calls `body` for everything in `root` and below that is no folder.
    ///
    /// - Parameter body: takes the path below `root`, and what the system says about the file; nil where a link leads nowhere, or the name
    ///   is not UTF-8 and so cannot be opened.
    /// - Throws: when `root` cannot be listed, or links make it endless.
    mutating func visit(_ root: String, _ body: (String, stat?) -> Void) throws(FileError) {
        try visit(root, prefix: "", body)
    }

    private mutating func visit(_ folder: String, prefix: String, _ body: (String, stat?) -> Void) throws(FileError) {
        var status = stat()
        guard let names = try names(in: folder), stat(folder, &status) == 0 else { return }
        let here = Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
        guard !trail.contains(here) else { return loops.append(folder) }
        folders += 1
        guard trail.count < maximumDepth, folders <= maximumFolders else {
            let problem = trail.count < maximumDepth ? "the last of \(maximumFolders) folders" : "nested more than \(maximumDepth) deep"
            throw FileError(path: folder, reason: "\(folder) is \(problem); do links lead there by many ways?")
        }
        trail.append(here)
        defer { trail.removeLast() }
        for name in names where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            guard stat(path, &status) == 0 else {
                body(prefix + name, nil)
                continue
            }
            if status.st_mode & S_IFMT == S_IFDIR {
                try visit(path, prefix: prefix + name + "/", body)
            } else {
                body(prefix + name, status)
            }
        }
    }

    /// Nil for a folder below the first that cannot be listed.
    private mutating func names(in folder: String) throws(FileError) -> [String]? {
        do throws(FileError) {
            return try StoredFolder.names(in: folder)
        } catch {
            guard !trail.isEmpty else { throw error }
            locked.append(folder)
            return nil
        }
    }
}

/// What the file system knows about a file's contents without reading them: whoever writes to a file or puts another in its place changes
/// these, and unlike the time of modification they cannot be set back.
struct FileStamp: Sendable, Hashable {
    let inode: UInt64
    /// Nanoseconds since 1970.
    let changed: Int

    /// Of what is not there.
    static let missing = FileStamp(inode: 0, changed: 0)

    private init(inode: UInt64, changed: Int) {
        (self.inode, self.changed) = (inode, changed)
    }

    init(_ status: stat) {
        self.init(inode: UInt64(status.st_ino), changed: status.st_ctim.tv_sec &* 1_000_000_000 &+ status.st_ctim.tv_nsec)
    }
}
