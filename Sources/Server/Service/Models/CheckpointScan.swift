import Glibc

/// Finds the checkpoints under a folder laid out as `FOLDER/MODEL/VERSION/manifest.json`.
///
/// A publisher makes a version appear with one rename, so whatever has its final name is complete. Names that start with a dot or
/// end in `.tmp` or `.partial` are still being written.
enum CheckpointScan {
    /// - Returns: every checkpoint, in no particular order.
    /// - Throws: ``ScanError`` if the folder itself cannot be read. What cannot be read inside it is passed over.
    static func find(in folder: String) throws(ScanError) -> [CheckpointCandidate] {
        try entries(of: folder).flatMap { model in
            let modelPath = "\(folder)/\(model)"
            return ((try? entries(of: modelPath)) ?? []).compactMap { version in
                candidate(model: model, version: version, path: "\(modelPath)/\(version)")
            }
        }
    }

    private static func candidate(model: String, version: String, path: String) -> CheckpointCandidate? {
        guard let names = try? entries(of: path), names.contains("manifest.json") else { return nil }
        let files = names.sorted().compactMap { file(named: $0, at: "\(path)/\($0)") }
        return CheckpointCandidate(model: model, version: version, path: path, identity: CheckpointIdentity(files: files))
    }

    private static func file(named name: String, at path: String) -> CheckpointIdentity.File? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        return CheckpointIdentity.File(
            name: name, device: UInt64(status.st_dev), inode: UInt64(status.st_ino), bytes: Int64(status.st_size), modifiedNanoseconds: modified)
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
