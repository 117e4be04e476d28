import Glibc

/// Whole files, read at once and written so that a reader or a crash never meets a part of one.
package enum StoredFile {
    package enum Durability: Sendable {
        /// On the disk when the call returns, together with its name.
        case synced
        /// Left to the system to write back: a power failure may cost the file, a killed process may not.
        case relaxed
    }

    /// Whether there is anything at `path`; a link that leads nowhere is nothing.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The file's bytes.
    /// - Throws: when it is not a readable regular file of at most `maximumBytes`.
    package static func read(_ path: String, maximumBytes: Int = 1 << 30) throws(FileError) -> [UInt8] {
        let file = try ReadableFile(path)
        guard file.count <= maximumBytes else {
            throw FileError(path: path, reason: "\(path) has \(file.count) bytes, more than the \(maximumBytes) allowed here")
        }
        return try file.read(0..<file.count)
    }

    /// Replaces `path` by `bytes` in one step: written beside it under a hidden name, then renamed.
    package static func write(_ bytes: [UInt8], to path: String, _ durability: Durability = .synced) throws(FileError) {
        let draft = try FileDraft(for: path)
        try draft.append(bytes)
        try draft.publish(durability)
    }
}

/// The parts of a slash-separated path.
package enum PathName {
    /// The folder that holds `path`: "." for a bare name.
    package static func folder(of path: String) -> String {
        guard let slash = trimmed(path).lastIndex(of: "/") else { return "." }
        let folder = trimmed(path)[..<slash]
        return folder.isEmpty ? "/" : String(folder)
    }

    /// The last part of `path`, without trailing slashes.
    package static func last(of path: String) -> String {
        let path = trimmed(path)
        guard let slash = path.lastIndex(of: "/") else { return String(path) }
        return String(path[path.index(after: slash)...])
    }

    private static func trimmed(_ path: String) -> Substring {
        var path = path[...]
        while path.count > 1 && path.last == "/" { path.removeLast() }
        return path
    }

    /// The hidden name beside `path` under which it is made.
    static func draft(of path: String) -> String { "\(folder(of: path))/.\(last(of: path))\(draftEnding)" }

    /// Whether `name` is one of those.
    static func isDraft(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(draftEnding) }

    private static let draftEnding = ".revq-draft"
}
