/// Decides which checkpoint each model should be serving next. A pure value: it reads no disk and loads nothing.
///
/// A model serves its newest version that loads. A version that failed is not tried again while its files, and those it may share
/// with others, stay the same; the next newest takes its place, which is the one already served unless the server has just started.
struct CheckpointPlan {
    private struct Attempt: Hashable {
        let files: FolderIdentity
        let shared: FolderIdentity

        init(_ candidate: CheckpointCandidate) {
            (files, shared) = (candidate.files, candidate.shared)
        }
    }

    private var served: [String: FolderIdentity] = [:]
    private var failed: Set<Attempt> = []

    /// The next checkpoint to load, if any model should serve another than it does.
    /// - Parameter found: everything on disk. What has failed and is no longer there is forgotten.
    mutating func next(_ found: [CheckpointCandidate]) -> CheckpointCandidate? {
        failed.formIntersection(found.map(Attempt.init))
        let byModel = Dictionary(grouping: found.filter { !failed.contains(Attempt($0)) }, by: \.model)
        for (model, candidates) in byModel.sorted(by: { $0.key < $1.key }) {
            if let newest = candidates.max(by: Self.isOlder), newest.files != served[model] { return newest }
        }
        return nil
    }

    mutating func didServe(_ candidate: CheckpointCandidate) {
        served[candidate.model] = candidate.files
    }

    mutating func didFail(_ candidate: CheckpointCandidate) {
        failed.insert(Attempt(candidate))
    }

    private static func isOlder(_ a: CheckpointCandidate, _ b: CheckpointCandidate) -> Bool {
        VersionName(a.version) < VersionName(b.version)
    }
}
