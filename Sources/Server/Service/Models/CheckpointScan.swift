import Glibc

/// Finds the checkpoints under a folder laid out as `FOLDER/MODEL/VERSION/manifest.json`.
///
/// A publisher makes a version appear with one rename, so whatever has its final name is complete. Names that start with a dot or
/// end in `.tmp` or `.partial` are still being written.
enum CheckpointScan {
    /// Folders inside folders that are looked into: a checkpoint has one level.
    private static let maximumDepth = 3

    /// - Returns: every checkpoint, in no particular order.
    /// - Throws: ``ScanError`` if the folder itself cannot be read. What cannot be read inside it is passed over.
    static func find(in folder: String) throws(ScanError) -> [CheckpointCandidate] {
        try entries(of: folder).flatMap { checkpoints(of: $0, in: "\(folder)/\($0)") }
    }

    private static func checkpoints(of model: String, in folder: String) -> [CheckpointCandidate] {
        let names = (try? entries(of: folder)) ?? []
        let versions = names.filter { access("\(folder)/\($0)/manifest.json", F_OK) == 0 }
        let shared = names.filter { !versions.contains($0) }.flatMap { files(at: "\(folder)/\($0)", named: $0, depth: 1) }
        return versions.map { version in
            let path = "\(folder)/\(version)"
            return CheckpointCandidate(
                model: model, version: version, path: path, files: FolderIdentity(files: Set(files(at: path, named: "", depth: 0))),
                shared: FolderIdentity(files: Set(shared)))
        }
    }

    /// A file, or all files of a folder.
    private static func files(at path: String, named name: String, depth: Int) -> [FolderIdentity.File] {
        var status = stat()
        guard depth <= maximumDepth, stat(path, &status) == 0 else { return [] }
        if status.st_mode & S_IFMT == S_IFDIR {
            return ((try? entries(of: path)) ?? []).flatMap { files(at: "\(path)/\($0)", named: "\(name)/\($0)", depth: depth + 1) }
        }
        let modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        return [
            FolderIdentity.File(
                path: name, device: UInt64(status.st_dev), inode: UInt64(status.st_ino), bytes: Int64(status.st_size),
                modifiedNanoseconds: modified)
        ]
    }

    /// The names in a folder that are not temporary.
    private static func entries(of folder: String) throws(ScanError) -> [String] {
        guard let stream = opendir(folder) else { throw ScanError(folder: folder, reason: String(cString: strerror(errno))) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !isTemporary(name) { names.append(name) }
        }
        return names
    }

    private static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasSuffix(".tmp") || name.hasSuffix(".partial")
    }
}

/// A folder cannot be read.
struct ScanError: Error, Equatable, CustomStringConvertible {
    let folder: String
    let reason: String

    var description: String { "cannot read the folder \(folder): \(reason)" }
}
