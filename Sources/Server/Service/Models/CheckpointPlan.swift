/// Decides which checkpoint each model should be serving next. A pure value: it reads no disk and loads nothing.
///
/// A model serves its newest version that loads. A version that failed is not tried again while its files stay the same, and the
/// next newest takes its place, which is the one already served unless the server has just started.
struct CheckpointPlan {
    private var served: [String: CheckpointIdentity] = [:]
    private var failed: Set<CheckpointIdentity> = []

    /// The next checkpoint to load, if any model should serve another than it does.
    /// - Parameter found: everything on disk. What has failed and is no longer there is forgotten.
    mutating func next(_ found: [CheckpointCandidate]) -> CheckpointCandidate? {
        failed.formIntersection(found.map(\.identity))
        let byModel = Dictionary(grouping: found.filter { !failed.contains($0.identity) }, by: \.model)
        for (model, candidates) in byModel.sorted(by: { $0.key < $1.key }) {
            if let newest = candidates.max(by: Self.isOlder), newest.identity != served[model] { return newest }
        }
        return nil
    }

    mutating func didServe(_ candidate: CheckpointCandidate) {
        served[candidate.model] = candidate.identity
    }

    mutating func didFail(_ candidate: CheckpointCandidate) {
        failed.insert(candidate.identity)
    }

    private static func isOlder(_ a: CheckpointCandidate, _ b: CheckpointCandidate) -> Bool {
        VersionName(a.version) < VersionName(b.version)
    }
}
