import Glibc

/// A folder that is filled under a hidden name beside its destination and appears there whole, or not at all.
///
/// The hidden name belongs to the destination and is locked while it is filled, so that two processes never fill the same one, whatever
/// their process numbers are, and the next one to publish beside it removes what a killed process has left.
package struct StagedFolder: ~Copyable {
    /// Where to write the files, with ``StoredFile/write(_:to:_:)``.
    package let path: String
    private let destination: String
    /// Nil on network file systems that lock no folders; what killed processes leave stays there.
    private let lock: FileLock?
    private var isPublished: Bool

    /// - Parameter destination: must not exist yet when ``publish()`` is called; its parent is created.
    /// - Throws: when another process is making the same one, or the folder cannot be made.
    package init(for destination: String) throws(FileError) {
        let parent = PathName.folder(of: destination)
        try StoredFolder.create(parent)
        try Self.removeAbandoned(in: parent)
        let path = PathName.draft(of: destination)
        let lock = try Self.create(path, destination)
        (self.destination, self.path, self.lock, isPublished) = (destination, path, lock, false)
    }

    private static func create(_ path: String, _ destination: String) throws(FileError) -> FileLock? {
        while true {
            guard mkdir(path, 0o755) == 0 else {
                guard errno == EEXIST else { throw .system("create the folder", path) }
                throw FileError(path: destination, reason: "\(destination) is being made by another process")
            }
            do throws(FileError) {
                // Nil when another process has found the folder before it was locked and removed it.
                if let lock = try FileLock(folder: path, waits: true) { return lock }
            } catch {
                return nil
            }
        }
    }

    /// Removes the drafts in `parent` that no process holds.
    private static func removeAbandoned(in parent: String) throws(FileError) {
        for name in try StoredFolder.names(in: parent) where PathName.isDraft(name) {
            let path = "\(parent)/\(name)"
            guard let lock = try? FileLock(folder: path, waits: false) else { continue }
            withExtendedLifetime(lock) { StoredFolder.remove(path) }
        }
    }

    /// Makes the folder visible under its destination, durably.
    package consuming func publish() throws(FileError) {
        try StoredFolder.sync(path)
        guard access(destination, F_OK) != 0 else {
            throw FileError(path: destination, reason: "\(destination) exists already; nothing was overwritten")
        }
        guard rename(path, destination) == 0 else { throw .system("publish", destination) }
        isPublished = true
        try StoredFolder.sync(PathName.folder(of: destination))
    }

    deinit {
        if !isPublished { StoredFolder.remove(path) }
    }
}
