import Files
import Glibc

/// A checkpoint directory as it was found on disk.
struct CheckpointCandidate: Sendable, Equatable {
    let model: String
    /// The name of its directory.
    let version: String
    let path: String
    let files: FolderIdentity
    /// What lies beside the versions of its model: folders that several of them share, such as an autoencoder's.
    let shared: FolderIdentity
}

/// Tells whether a folder still holds the same bytes, without reading them: the identity of each of its files.
struct FolderIdentity: Hashable, Sendable {
    struct File: Hashable, Sendable {
        /// Within the folder.
        let path: String
        let device: UInt64
        let inode: UInt64
        let bytes: Int64
        /// Since the epoch.
        let modifiedNanoseconds: Int64
    }

    let files: Set<File>
}

/// Finds the checkpoints under a folder laid out as `FOLDER/MODEL/VERSION/manifest.json`.
///
/// A publisher makes a version appear with one rename, so whatever has its final name is complete. Names that start with a dot or
/// end in `.tmp` or `.partial` are still being written.
enum CheckpointScan {
    /// Folders inside folders that are looked into: a checkpoint has one level.
    private static let maximumDepth = 3

    /// - Returns: every checkpoint, in no particular order.
    /// - Throws: ``FileError`` if the folder itself cannot be read. What cannot be read inside it is passed over.
    static func find(in folder: String) throws(FileError) -> [CheckpointCandidate] {
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
    private static func entries(of folder: String) throws(FileError) -> [String] {
        try StoredFolder.names(in: folder).filter { !isTemporary($0) }
    }

    private static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasSuffix(".tmp") || name.hasSuffix(".partial")
    }
}
