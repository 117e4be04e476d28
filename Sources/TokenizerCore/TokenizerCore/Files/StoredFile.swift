import Glibc

/// Whole files, read at once and written so that a reader or a crash never meets a part of one.
public enum StoredFile {
    public enum Durability: Sendable {
        /// On the disk when the call returns, together with its name.
        case synced
        /// Left to the system to write back: a power failure may cost the file, a killed process may not.
        case relaxed
    }

    /// The file's bytes.
    /// - Throws: when it is not a readable regular file of at most `maximumBytes`.
    public static func read(_ path: String, maximumBytes: Int = 1 << 30) throws(FileError) -> [UInt8] {
        let file = try ReadableFile(path)
        guard file.count <= maximumBytes else {
            throw FileError(path: path, reason: "\(path) has \(file.count) bytes, more than the \(maximumBytes) allowed here")
        }
        return try file.read(0..<file.count)
    }

    /// Replaces `path` by `bytes` in one step: written beside it under a hidden name, then renamed.
    public static func write(_ bytes: [UInt8], to path: String, _ durability: Durability = .synced) throws(FileError) {
        let folder = PathName.folder(of: path)
        let draft = "\(folder)/.\(PathName.last(of: path)).\(getpid()).draft"
        do {
            try writeDraft(bytes, draft, durability)
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else {
            let error = FileError.system("rename a new file to", path)
            unlink(draft)
            throw error
        }
        if durability == .synced { try StoredFolder.sync(folder) }
    }

    private static func writeDraft(_ bytes: [UInt8], _ path: String, _ durability: Durability) throws(FileError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .system("create", path) }
        var failure = writeAll(bytes, to: file)
        if failure == 0 && durability == .synced && fsync(file) != 0 { failure = errno }
        if close(file) != 0 && failure == 0 { failure = errno }
        guard failure == 0 else { throw .system("write", path, code: failure) }
    }

    /// Writes every byte, or returns the system's error number.
    static func writeAll(_ bytes: [UInt8], to file: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let written = Glibc.write(file, buffer.baseAddress! + done, buffer.count - done)
                if written > 0 { done += written } else if errno != EINTR { return errno }
            }
            return 0
        }
    }
}

/// The parts of a slash-separated path.
public enum PathName {
    /// The folder that holds `path`: "." for a bare name.
    public static func folder(of path: String) -> String {
        guard let slash = trimmed(path).lastIndex(of: "/") else { return "." }
        let folder = trimmed(path)[..<slash]
        return folder.isEmpty ? "/" : String(folder)
    }

    /// The last part of `path`, without trailing slashes.
    public static func last(of path: String) -> String {
        let path = trimmed(path)
        guard let slash = path.lastIndex(of: "/") else { return String(path) }
        return String(path[path.index(after: slash)...])
    }

    private static func trimmed(_ path: String) -> Substring {
        var path = path[...]
        while path.count > 1 && path.last == "/" { path.removeLast() }
        return path
    }
}
