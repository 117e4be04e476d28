/// Decides what each model should be serving next, from what is on disk and what an operator has ordered. A pure value: it reads no disk and
/// loads nothing.
///
/// A model serves its newest version that loads. One that failed is tried again when its files, or those it may share with others, have
/// changed, and seldom while they stay the same, for what the machine lacked then it may have later. Until then the next newest takes its
/// place, which is the one already served unless the server has just started. With trials, a version newer than the one that is served is its
/// canary first.
struct CheckpointPlan {
    typealias Instant = ContinuousClock.Instant

    /// What is to be done next about a model.
    enum Step: Equatable {
        case load(CheckpointCandidate, as: VersionRole)
        /// Its canary is none any more: an order or a change on disk has another version served.
        case endTrial(of: String)
        case remove(String)
        /// A version that is not the stable one goes out of memory.
        case unload(CheckpointCandidate)
    }

    private struct Attempt: Hashable {
        let files: FolderIdentity
        let shared: FolderIdentity

        init(_ candidate: CheckpointCandidate) {
            (files, shared) = (candidate.files, candidate.shared)
        }
    }

    private struct Failure {
        let attempt: Attempt
        /// How many there were in a row.
        let count: Int
        let time: Instant

        /// A version that somebody is still writing changes at every look, and costs as much each time.
        private static let longestWaitOfChanged = 64
        private static let waitOfUnchanged = 60
        private static let longestWaitOfUnchanged = 3600

        func allows(_ candidate: CheckpointCandidate, at now: Instant) -> Bool {
            let doubled = 1 << min(count - 1, 16)
            let seconds =
                Attempt(candidate) == attempt
                ? min(Self.waitOfUnchanged * doubled, Self.longestWaitOfUnchanged) : min(doubled / 2, Self.longestWaitOfChanged)
            return now >= time + .seconds(seconds)
        }
    }

    /// Whether new versions are tried out beside the stable one before they take its place.
    private let hasTrials: Bool
    private var standings: [String: ModelStanding] = [:]
    /// By path.
    private var failures: [String: Failure] = [:]

    init(hasTrials: Bool = false) {
        self.hasTrials = hasTrials
    }

    /// What holds for a model.
    subscript(model: String) -> ModelStanding { standings[model] ?? ModelStanding() }

    // MARK: Looking

    /// The next thing to do, if any model should serve another version than it does.
    /// - Parameter found: everything on disk. What has failed or was refused, and is no longer there, is forgotten.
    mutating func next(_ found: [CheckpointCandidate], at now: Instant) -> Step? {
        let paths = Set(found.map(\.path))
        failures = failures.filter { paths.contains($0.key) }
        for model in standings.keys { standings[model]?.forgetRefused(but: paths) }
        let byModel = Dictionary(grouping: found, by: \.model).sorted { $0.key < $1.key }
        for (model, candidates) in byModel {
            if let step = next(of: model, candidates, at: now) { return step }
        }
        return nil
    }

    private func next(of model: String, _ candidates: [CheckpointCandidate], at now: Instant) -> Step? {
        let standing = self[model]
        if let candidate = standing.unloading { return .unload(candidate) }
        guard !standing.isUnloaded else { return standing.served == nil ? nil : .remove(model) }
        let allowed = candidates.filter { standing.allows($0) && failures[$0.path]?.allows($0, at: now) != false }
        guard let newest = allowed.max(by: Self.isOlder) else { return nil }
        let hasCanary = standing.canary != nil
        if newest.files == standing.served?.files { return hasCanary ? .endTrial(of: model) : nil }
        if isOnTrial(newest, beside: standing, candidates) {
            return newest.files == standing.canary?.files ? nil : .load(newest, as: .canary)
        }
        return hasCanary ? .endTrial(of: model) : .load(newest, as: .stable)
    }

    /// Whether a version is tried out first: not what an operator has chosen, nor what takes the place of one that has been removed.
    private func isOnTrial(_ candidate: CheckpointCandidate, beside standing: ModelStanding, _ candidates: [CheckpointCandidate]) -> Bool {
        guard hasTrials, standing.pinned == nil, let served = standing.served else { return false }
        return Self.isOlder(served, candidate) && candidates.contains { $0.path == served.path && standing.allows($0) }
    }

    /// The models to serve no longer: those whose last version has been removed. One that is missing once may be in the middle of being
    /// replaced, so it goes when it is missing twice in a row.
    /// - Parameter found: everything on disk.
    mutating func withdraw(_ found: [CheckpointCandidate]) -> [String] {
        let present = Set(found.map(\.model))
        let gone = standings.keys.filter { !present.contains($0) }
        let withdrawn = gone.filter { self[$0].isMissing }.sorted()
        for model in standings.keys { standings[model]?.isMissing = gone.contains(model) }
        for model in withdrawn { standings[model] = nil }
        return withdrawn
    }

    /// Whether a version is still to be served, once it has been loaded: orders come at any time.
    func wants(_ candidate: CheckpointCandidate) -> Bool {
        !self[candidate.model].isUnloaded && self[candidate.model].allows(candidate)
    }

    // MARK: What has been done

    mutating func didServe(_ candidate: CheckpointCandidate, as role: VersionRole = .stable) {
        failures[candidate.path] = nil
        switch role {
        case .stable: standings[candidate.model, default: ModelStanding()].served = candidate
        case .canary: standings[candidate.model, default: ModelStanding()].canary = candidate
        }
    }

    mutating func didFail(_ candidate: CheckpointCandidate, at now: Instant) {
        let count = (failures[candidate.path]?.count ?? 0) + 1
        failures[candidate.path] = Failure(attempt: Attempt(candidate), count: count, time: now)
    }

    /// A canary has become the stable version, or has been found worse and is not tried again while its files stay as they are.
    mutating func didDecide(of model: String, isPromoted: Bool) {
        guard var standing = standings[model], let canary = standing.canary else { return }
        standing.canary = nil
        if isPromoted { standing.served = canary } else { standing.refuse(canary) }
        standings[model] = standing
    }

    mutating func didEndTrial(of model: String) { standings[model]?.canary = nil }

    mutating func didUnload(_ candidate: CheckpointCandidate) {
        standings[candidate.model]?.unloading = nil
        if standings[candidate.model]?.canary?.path == candidate.path { standings[candidate.model]?.canary = nil }
    }

    mutating func didRemove(_ model: String) {
        standings[model]?.served = nil
        standings[model]?.canary = nil
    }

    // MARK: Orders

    /// Tries again at once what has failed.
    mutating func retry() { failures = [:] }

    /// Has the newest version but the stable one served, which does not come back while its files stay as they are.
    mutating func rollBack(_ model: String, _ found: [CheckpointCandidate]) throws(ModelError) {
        var standing = try known(model, found)
        guard standing.pinned == nil else { throw .conflict("\"\(model.shortened)\" is pinned to a version; unpin it first") }
        guard let served = standing.served else { throw .conflict("no version of \"\(model.shortened)\" is served") }
        standing.refuse(served)
        guard found.contains(where: { $0.model == model && standing.allows($0) }) else {
            throw .conflict("there is no other version of \"\(model.shortened)\" to go back to")
        }
        standings[model] = standing
    }

    /// Has one version served, whatever is newer, until it is unpinned.
    mutating func pin(_ model: String, to version: String, _ found: [CheckpointCandidate]) throws(ModelError) {
        var standing = try known(model, found)
        let candidate = try Self.candidate(model, version, found)
        standing.pinned = candidate.version
        (standing.refused[candidate.path], failures[candidate.path], standing.isUnloaded) = (nil, nil, false)
        standings[model] = standing
    }

    mutating func unpin(_ model: String, _ found: [CheckpointCandidate]) throws(ModelError) {
        var standing = try known(model, found)
        standing.pinned = nil
        standings[model] = standing
    }

    /// Has a model served no longer until it is loaded again, or one version of it.
    mutating func unload(_ model: String, version: String?, _ found: [CheckpointCandidate]) throws(ModelError) {
        var standing = try known(model, found)
        if let version {
            let candidate = try Self.candidate(model, version, found)
            guard candidate.path != standing.served?.path else {
                throw .conflict("version \(version.shortened) is the stable one; roll back, or pin another one first")
            }
            standing.refuse(candidate)
            standing.unloading = candidate
        } else {
            standing.isUnloaded = true
        }
        standings[model] = standing
    }

    /// Takes back what has had versions of a model served no longer: of one version, or of all.
    mutating func load(_ model: String, version: String?, _ found: [CheckpointCandidate]) throws(ModelError) {
        var standing = try known(model, found)
        let candidates = try version.map { version throws(ModelError) in [try Self.candidate(model, version, found)] }
        for candidate in candidates ?? found.filter({ $0.model == model }) {
            (standing.refused[candidate.path], failures[candidate.path]) = (nil, nil)
        }
        standing.isUnloaded = false
        standings[model] = standing
    }

    /// - Throws: where there is no such model, neither served nor on disk.
    func known(_ model: String, _ found: [CheckpointCandidate]) throws(ModelError) -> ModelStanding {
        guard standings[model] != nil || found.contains(where: { $0.model == model }) else {
            throw .unknown(model, served: Set(found.map(\.model)).sorted())
        }
        return self[model]
    }

    private static func candidate(_ model: String, _ version: String, _ found: [CheckpointCandidate]) throws(ModelError) -> CheckpointCandidate {
        let candidates = found.filter { $0.model == model }
        guard let candidate = candidates.first(where: { VersionName($0.version) == VersionName(version) }) else {
            throw .unknownVersion(version, of: model, known: candidates.sorted(by: isOlder).map(\.version))
        }
        return candidate
    }

    private static func isOlder(_ a: CheckpointCandidate, _ b: CheckpointCandidate) -> Bool {
        VersionName(a.version) < VersionName(b.version)
    }
}
