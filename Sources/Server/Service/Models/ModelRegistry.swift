import Locks

/// The models that requests may use, each with its stable version, perhaps a canary, and a few earlier ones whose tokens can still be decoded.
///
/// A request takes a reference and keeps it, so a swap never disturbs what is running. The lock is held for a look-up only.
final class ModelRegistry: Sendable {
    fileprivate typealias Versions = [ResidentVersion]

    fileprivate struct Model {
        /// The stable one, then those that it replaced, newest first.
        var versions: Versions
        /// Beside them, and beyond their bound.
        var canary: ResidentVersion?

        var all: Versions { versions + (canary.map { [$0] } ?? []) }

        /// Takes a version out, whatever it is; the stable one only where another follows.
        mutating func take(_ identity: ModelIdentity) -> ResidentVersion? {
            if let canary, canary.identity == identity {
                self.canary = nil
                return canary
            }
            return versions.firstIndex { $0.identity == identity }.map { versions.remove(at: $0) }
        }
    }

    /// One model as it is listed.
    struct Listing: Sendable {
        let name: String
        /// The stable version first, the canary last.
        let versions: [ModelFacts]
        let canary: ModelIdentity?

        func role(of facts: ModelFacts) -> VersionRole? {
            if facts.identity == versions[0].identity { return .stable }
            return facts.identity == canary ? .canary : nil
        }
    }

    /// The model that answers requests which name none, if several are served.
    static let defaultName = "default"

    fileprivate struct State {
        var models: [String: Model] = [:]
        /// Let go, but perhaps still used by requests.
        var retired: Versions = []
    }

    private let residentVersions: Int
    private let state = Lock(State())

    /// - Parameter residentVersions: how many versions of a model stay in memory besides a canary, at least 1.
    init(residentVersions: Int) {
        precondition(residentVersions >= 1, "at least one version stays resident, got \(residentVersions)")
        self.residentVersions = residentVersions
    }

    var isReady: Bool { state.withLock { !$0.models.isEmpty } }

    /// All models, by their names.
    var listing: [Listing] {
        state.withLock { state in
            state.models.sorted { $0.key < $1.key }.map {
                Listing(name: $0.key, versions: $0.value.all.map(\.facts), canary: $0.value.canary?.identity)
            }
        }
    }

    /// Every version in memory, model by model, and what it is.
    var resident: [(model: ServedModel, role: VersionRole?)] {
        state.withLock { state in
            state.models.sorted { $0.key < $1.key }.flatMap { name, model in
                model.all.enumerated().map { index, version in
                    (ServedModel(name: name, version), index == 0 ? .stable : version === model.canary ? .canary : nil)
                }
            }
        }
    }

    // MARK: Changes

    /// Gives `engine` a role, in the place of a resident version that is the same.
    func serve(_ engine: any Engine, as name: String, _ role: VersionRole = .stable) {
        state.withLock { state in
            var model = state.models[name] ?? Model(versions: [])
            if let same = model.take(engine.facts.identity) { state.retired.append(same) }
            place(ResidentVersion(engine), as: model.versions.isEmpty ? .stable : role, in: &model, &state.retired)
            state.models[name] = model
        }
    }

    /// What ``serveResident(_:as:_:)`` found.
    enum Residence {
        case absent, current, earlier
    }

    /// Gives a version that is in memory a role. The stable one stays that.
    func serveResident(_ identity: ModelIdentity, as name: String, _ role: VersionRole = .stable) -> Residence {
        state.withLock { state in
            guard var model = state.models[name] else { return .absent }
            if model.versions[0].identity == identity || role == .canary && model.canary?.identity == identity { return .current }
            guard let version = model.take(identity) else { return .absent }
            place(version, as: role, in: &model, &state.retired)
            state.models[name] = model
            return .earlier
        }
    }

    /// Ends the trial of a canary, which becomes the stable version or an earlier one: its tokens can still be decoded.
    func endTrial(of name: String, isPromoted: Bool) {
        state.withLock { state in
            guard var model = state.models[name], let canary = model.canary else { return }
            model.canary = nil
            if isPromoted {
                place(canary, as: .stable, in: &model, &state.retired)
            } else {
                model.versions.insert(canary, at: 1)
                trim(&model, &state.retired)
            }
            state.models[name] = model
        }
    }

    /// A canary that a newer one takes the place of becomes an earlier version, and the oldest beyond the bound is let go.
    private func place(_ version: ResidentVersion, as role: VersionRole, in model: inout Model, _ retired: inout Versions) {
        switch role {
        case .stable: model.versions.insert(version, at: 0)
        case .canary:
            if let before = model.canary { model.versions.insert(before, at: 1) }
            model.canary = version
        }
        trim(&model, &retired)
    }

    private func trim(_ model: inout Model, _ retired: inout Versions) {
        retired += model.versions.dropFirst(residentVersions)
        model.versions = Array(model.versions.prefix(residentVersions))
    }

    /// Lets go of a version that is not the stable one.
    /// - Returns: whether it was in memory.
    func unload(_ identity: ModelIdentity, of name: String) -> Bool {
        state.withLock { state in
            guard var model = state.models[name], model.versions[0].identity != identity, let version = model.take(identity) else { return false }
            state.retired.append(version)
            state.models[name] = model
            return true
        }
    }

    /// Stops serving a model. Requests that have a reference to it are still answered.
    func remove(_ name: String) {
        state.withLock { $0.retired += $0.models.removeValue(forKey: name)?.all ?? [] }
    }

    /// Frees the versions that were let go and that no request uses any more. It is called again and again by the thread that loads, so
    /// that giving back a large model holds up no request, not even the last one that used it.
    func releaseUnused() {
        var retired: Versions = state.withLock { state in
            defer { state.retired = [] }
            return state.retired
        }
        var used: Versions = []
        while !retired.isEmpty {
            // Nobody finds a version here that was let go: who still has it is a request.
            weak let engine = retired[retired.count - 1]
            retired.removeLast()
            if let engine { used.append(engine) }
        }
        state.withLock { $0.retired += used }
    }

    // MARK: Look-ups

    /// The version of a model that a request asks for.
    /// - Parameters:
    ///   - name: nil for the only model, or the one named ``defaultName``.
    ///   - version: a number or a label, as a client writes it; nil for the stable one.
    func find(_ name: String?, version: String? = nil) throws(ModelError) -> ServedModel {
        try state.withLock { state throws(ModelError) in try state.find(name, version: version) }
    }

    /// The version on trial beside the stable one.
    func canary(of name: String) -> ServedModel? { try? find(name, version: VersionRole.canary.rawValue) }

    /// The resident version whose tokens have this fingerprint; the newest if there are several.
    /// - Parameter name: nil to search all models.
    func resident(fingerprint: String, model name: String?) throws(ModelError) -> ServedModel {
        try state.withLock { state throws(ModelError) in try state.resident(fingerprint: fingerprint, model: name) }
    }

    /// The numbers of a model's resident versions, the stable one first.
    func versions(of name: String) -> [Int] { state.withLock { $0.models[name]?.all.map(\.facts.version) ?? [] } }
}

/// Under the lock from beginning to end: what is read is never a copy whose memory a swap may take back for its own.
extension ModelRegistry.State {
    fileprivate func find(_ name: String?, version: String?) throws(ModelError) -> ServedModel {
        let name = try resolve(name)
        guard let model = models[name] else { throw .unknown(name, served: models.keys.sorted()) }
        let found =
            switch version.map({ ($0, VersionRole(rawValue: $0)) }) {
            case nil, (_, .stable)?: model.versions.first
            case (_, .canary)?: model.canary
            case (let number, nil)?: model.all.first { "\($0.facts.version)" == number }
            }
        guard let found else {
            let labels = VersionRole.allCases.filter { $0 == .stable || model.canary != nil }.map(\.rawValue)
            throw .unknownVersion(version ?? "", of: name, known: labels + model.all.map { "\($0.facts.version)" })
        }
        return ServedModel(name: name, found)
    }

    fileprivate func resident(fingerprint: String, model name: String?) throws(ModelError) -> ServedModel {
        guard !models.isEmpty else { throw .notReady }
        if let name, models[name] == nil { throw .unknown(name, served: models.keys.sorted()) }
        for (candidate, model) in models.sorted(by: { $0.key < $1.key }) where name == nil || candidate == name {
            if let version = model.all.first(where: { $0.facts.fingerprint == fingerprint }) { return ServedModel(name: candidate, version) }
        }
        throw .notResident(fingerprint, resident: models.values.flatMap(\.all).map(\.facts.fingerprint).sorted())
    }

    private func resolve(_ name: String?) throws(ModelError) -> String {
        guard !models.isEmpty else { throw .notReady }
        if let name { return name }
        if models.count == 1, let only = models.keys.first { return only }
        if models[ModelRegistry.defaultName] != nil { return ModelRegistry.defaultName }
        throw .ambiguous(served: models.keys.sorted())
    }
}
