import Glibc

/// A file that is written under a hidden name beside its destination and appears there whole, or not at all.
///
/// The hidden name belongs to the destination and is locked: two writers take turns, and what a killed process has left is overwritten by
/// the next one.
struct FileDraft: ~Copyable {
    private let destination: String
    private let path: String
    private let lock: FileLock
    private var isPublished: Bool

    init(for destination: String) throws(FileError) {
        let path = PathName.draft(of: destination)
        var lock: FileLock?
        // The lock is not had when the last writer has just renamed the draft; then there is room for a new one.
        while lock == nil { lock = try FileLock(file: path, waits: true) }
        guard ftruncate(lock!.descriptor, 0) == 0 else { throw .system("empty", path) }
        (self.destination, self.path, self.lock, isPublished) = (destination, path, lock!, false)
    }

    /// Writes the elements' bytes as they lie in memory.
    /// - Throws: when the disk is full or fails; nothing appears then.
    func append(_ elements: [some BitwiseCopyable]) throws(FileError) {
        let failure = elements.withUnsafeBytes { buffer -> Int32 in
            var done = 0
            while done < buffer.count {
                let written = Glibc.write(lock.descriptor, buffer.baseAddress! + done, buffer.count - done)
                if written > 0 { done += written } else if errno != EINTR { return errno }
            }
            return 0
        }
        guard failure == 0 else { throw .system("write", destination, code: failure) }
    }

    /// Puts the file in the place of what is there.
    consuming func publish(_ durability: StoredFile.Durability) throws(FileError) {
        if durability == .synced, fsync(lock.descriptor) != 0 { throw .system("write", destination) }
        guard rename(path, destination) == 0 else { throw .system("rename a new file to", destination) }
        isPublished = true
        if durability == .synced { try StoredFolder.sync(PathName.folder(of: destination)) }
    }

    deinit {
        if !isPublished { unlink(path) }
    }
}
