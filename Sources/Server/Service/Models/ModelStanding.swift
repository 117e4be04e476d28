/// What of a model's versions counts: which are served, and which may be.
struct ModelStanding: Sendable {
    var served: CheckpointCandidate?
    /// On trial beside it.
    var canary: CheckpointCandidate?
    /// The name of the only one that may be served.
    var pinned: String?
    /// By path: those that may not, while their files are these.
    var refused: [String: FolderIdentity] = [:]
    /// Refused, and still in memory.
    var unloading: CheckpointCandidate?
    /// None may be.
    var isUnloaded = false
    /// Nothing was on disk at the last look.
    var isMissing = false

    /// Whether a version may be served at all.
    func allows(_ candidate: CheckpointCandidate) -> Bool {
        guard pinned == nil || pinned == candidate.version else { return false }
        return refused[candidate.path] != candidate.files
    }

    /// - Parameter paths: what is on disk.
    mutating func forgetRefused(but paths: Set<String>) {
        refused = refused.filter { paths.contains($0.key) }
    }

    mutating func refuse(_ candidate: CheckpointCandidate) {
        refused[candidate.path] = candidate.files
    }
}
