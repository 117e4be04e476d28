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
