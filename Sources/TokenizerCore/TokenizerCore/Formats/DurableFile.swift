import Glibc

/// Writing that survives a crash: bytes reach the disk before anyone sees the name.
public enum DurableFile {
    /// Writes `parts` one after the other to a new file and waits until the disk has them.
    public static func write(_ parts: [UnsafeRawBufferPointer], to path: String) throws(FileError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system(path, "create") }
        defer { close(descriptor) }
        for part in parts {
            var rest = part
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress!, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written >= 0 else { throw .system(path, "write") }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            }
        }
        guard fsync(descriptor) == 0 else { throw .system(path, "flush") }
    }

    public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let result: Result<Void, FileError> = bytes.withUnsafeBytes { part in
            Result { () throws(FileError) in try write([part], to: path) }
        }
        try result.get()
    }

    /// Replaces `path` in one step: whoever opens it sees the old bytes or all of the new ones.
    public static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
        let temporary = path + ".partial"
        try write(bytes, to: temporary)
        try rename(temporary, to: path)
    }

    /// Moves a finished file or directory to its final name and waits until the directory entry is on disk.
    public static func rename(_ source: String, to target: String) throws(FileError) {
        guard Glibc.rename(source, target) == 0 else { throw .system(target, "move into place") }
        let slash = target.lastIndex(of: "/")
        let parent = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
        try flushDirectory(parent)
    }

    public static func flushDirectory(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(path, "open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(path, "flush") }
    }
}
