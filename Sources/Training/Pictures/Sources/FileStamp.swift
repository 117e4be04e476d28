import Glibc

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
