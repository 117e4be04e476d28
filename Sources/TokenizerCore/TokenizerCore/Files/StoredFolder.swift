import Glibc

/// Folders: created, listed, and replaced as a whole.
public enum StoredFolder {
    /// Makes `path` and the folders above it where they are missing.
    public static func create(_ path: String) throws(FileError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw FileError(path: path, reason: "\(path) exists and is not a folder") }
            return
        }
        let parent = PathName.folder(of: path)
        if parent != path { try create(parent) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("create the folder", path) }
    }

    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in `path` in byte order, without "." and "..".
    public static func names(in path: String) throws(FileError) -> [String] {
        guard let folder = opendir(path) else { throw .system("list the folder", path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Puts the names in `path` on the disk.
    public static func sync(_ path: String) throws(FileError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .system("open the folder", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .system("sync the folder", path) }
    }

    /// Removes `path` and all in it; what cannot be removed stays.
    public static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in (try? names(in: path)) ?? [] { remove("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// A folder that is filled under a hidden name beside its destination and appears there whole, or not at all.
public struct StagedFolder: ~Copyable {
    /// Where to write the files, with ``StoredFile/write(_:to:_:)``.
    public let path: String
    private let destination: String

    /// - Parameter destination: must not exist yet when ``publish()`` is called; its parent is created.
    public init(for destination: String) throws(FileError) {
        let parent = PathName.folder(of: destination)
        let draft = "\(parent)/.\(PathName.last(of: destination)).\(getpid()).draft"
        StoredFolder.remove(draft)
        try StoredFolder.create(draft)
        self.destination = destination
        path = draft
    }

    /// Makes the folder visible under its destination, durably.
    public consuming func publish() throws(FileError) {
        try StoredFolder.sync(path)
        guard access(destination, F_OK) != 0 else {
            throw FileError(path: destination, reason: "\(destination) exists already; nothing was overwritten")
        }
        guard rename(path, destination) == 0 else { throw .system("publish", destination) }
        try StoredFolder.sync(PathName.folder(of: destination))
    }

    deinit {
        // After `publish` nothing is left under this name.
        StoredFolder.remove(path)
    }
}
