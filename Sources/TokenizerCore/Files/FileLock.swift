import Glibc

/// An exclusive hold on a file or folder, which ends with this value or with its process, however that ends.
package final class FileLock: Sendable {
    /// Open for reading and writing where a file is locked.
    let descriptor: Int32

    /// Locks the file at `path`, made where it is missing.
    /// - Parameter waits: until the present holder lets go; otherwise the answer is nil while there is one.
    package convenience init?(file path: String, waits: Bool) throws(FileError) {
        try self.init(path, open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644), waits: waits)
    }

    /// Locks the folder at `path`; nil, too, when there is none.
    convenience init?(folder path: String, waits: Bool) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 && errno == ENOENT { return nil }
        try self.init(path, descriptor, waits: waits)
    }

    private init?(_ path: String, _ descriptor: Int32, waits: Bool) throws(FileError) {
        guard descriptor >= 0 else { throw .system("open", path) }
        while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR { continue }
            close(descriptor)
            if code == EWOULDBLOCK { return nil }
            throw .system("lock", path, code: code)
        }
        // Its last holder may have renamed or removed what was opened here.
        guard Self.isSame(descriptor, path) else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }
}
