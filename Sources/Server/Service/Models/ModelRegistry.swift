import Locks

/// One resident version of a model, under the name it is served by.
struct ServedModel: Sendable {
    let name: String
    private let version: ResidentVersion

    fileprivate init(name: String, _ version: ResidentVersion) {
        (self.name, self.version) = (name, version)
    }

    /// A model that no registry knows, for tests.
    init(name: String, engine: any Engine) {
        self.init(name: name, ResidentVersion(engine))
    }

    var engine: any Engine { version.engine }
    var facts: ModelFacts { version.facts }
    /// Of its tokens; nil where the checkpoint has nothing to compare with.
    var health: TokenHealth? { version.health }
}

/// A version in memory. Whoever works with it holds this, so that it shows when nobody does.
private final class ResidentVersion: Sendable {
    let engine: any Engine
    let health: TokenHealth?

    init(_ engine: any Engine) {
        self.engine = engine
        health = TokenHealth(engine.facts.reference)
    }

    var facts: ModelFacts { engine.facts }
}

/// The models that requests may use, each with its current version and a few earlier ones whose tokens can still be decoded.
///
/// A request takes a reference and keeps it, so a swap never disturbs what is running. The lock is held for a look-up only.
final class ModelRegistry: Sendable {
    /// The version that new requests get, then those it replaced, newest first.
    private typealias Versions = [ResidentVersion]

    /// The model that answers requests which name none, if several are served.
    static let defaultName = "default"

    private struct State {
        var models: [String: Versions] = [:]
        /// Let go, but perhaps still used by requests.
        var retired: Versions = []
    }

    private let residentVersions: Int
    private let state = Lock(State())

    /// - Parameter residentVersions: how many versions of a model stay in memory, at least 1.
    init(residentVersions: Int) {
        precondition(residentVersions >= 1, "at least one version stays resident, got \(residentVersions)")
        self.residentVersions = residentVersions
    }

    var isReady: Bool { state.withLock { !$0.models.isEmpty } }

    /// The names of all models, sorted, each with its resident versions, the current one first.
    var listing: [(name: String, versions: [ModelFacts])] {
        state.withLock { state in
            state.models.sorted { $0.key < $1.key }.map { ($0.key, $0.value.map(\.facts)) }
        }
    }

    /// Every version in memory, model by model, the current one of each first.
    var resident: [ServedModel] {
        state.withLock { state in
            state.models.sorted { $0.key < $1.key }.flatMap { name, versions in versions.map { ServedModel(name: name, $0) } }
        }
    }

    /// Makes `engine` the current version of a model, in the place of a resident one that is the same. The oldest beyond the bound is let go.
    func serve(_ engine: any Engine, as name: String) {
        state.withLock { state in
            let earlier = state.models[name] ?? []
            let others = earlier.filter { $0.facts.identity != engine.facts.identity }
            state.models[name] = [ResidentVersion(engine)] + others.prefix(residentVersions - 1)
            state.retired += earlier.filter { $0.facts.identity == engine.facts.identity } + others.dropFirst(residentVersions - 1)
        }
    }

    /// What ``serveResident(_:as:)`` found.
    enum Residence {
        case absent, current, earlier
    }

    /// Makes a version that is in memory the current one.
    func serveResident(_ identity: ModelIdentity, as name: String) -> Residence {
        state.withLock { state in
            guard var versions = state.models[name], let index = versions.firstIndex(where: { $0.facts.identity == identity }) else {
                return .absent
            }
            versions.insert(versions.remove(at: index), at: 0)
            state.models[name] = versions
            return index == 0 ? .current : .earlier
        }
    }

    /// Stops serving a model. Requests that have a reference to it are still answered.
    func remove(_ name: String) {
        state.withLock { $0.retired += $0.models.removeValue(forKey: name) ?? [] }
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

    /// The current version of a model.
    /// - Parameter name: nil for the only model, or the one named ``defaultName``.
    func current(_ name: String?) throws(ModelError) -> ServedModel {
        let models = state.withLock { $0.models }
        let name = try Self.resolve(name, among: models)
        guard let version = models[name]?.first else { throw .unknown(name, served: models.keys.sorted()) }
        return ServedModel(name: name, version)
    }

    /// The resident version whose tokens have this fingerprint; the newest if there are several.
    /// - Parameter name: nil to search all models.
    func resident(fingerprint: String, model name: String?) throws(ModelError) -> ServedModel {
        let models = state.withLock { $0.models }
        guard !models.isEmpty else { throw .notReady }
        if let name, models[name] == nil { throw .unknown(name, served: models.keys.sorted()) }
        for (candidate, versions) in models.sorted(by: { $0.key < $1.key }) where name == nil || candidate == name {
            if let version = versions.first(where: { $0.facts.fingerprint == fingerprint }) {
                return ServedModel(name: candidate, version)
            }
        }
        throw .notResident(fingerprint, resident: models.values.joined().map(\.facts.fingerprint).sorted())
    }

    /// The numbers of a model's resident versions, the current one first.
    func versions(of name: String) -> [Int] { state.withLock { $0.models[name]?.map(\.facts.version) ?? [] } }

    /// A resident version by its number.
    /// - Parameter version: as a client writes it.
    func resident(version: String, of name: String) throws(ModelError) -> ServedModel {
        let models = state.withLock { $0.models }
        guard !models.isEmpty else { throw .notReady }
        guard let versions = models[name] else { throw .unknown(name, served: models.keys.sorted()) }
        guard let found = versions.first(where: { "\($0.facts.version)" == version }) else {
            throw .unknownVersion(version, of: name, resident: versions.map(\.facts.version))
        }
        return ServedModel(name: name, found)
    }

    private static func resolve(_ name: String?, among models: [String: Versions]) throws(ModelError) -> String {
        guard !models.isEmpty else { throw .notReady }
        if let name { return name }
        if models.count == 1, let only = models.keys.first { return only }
        if models[defaultName] != nil { return defaultName }
        throw .ambiguous(served: models.keys.sorted())
    }
}

/// Why a request gets no model.
enum ModelError: Error, Equatable {
    /// No checkpoint has been loaded.
    case notReady
    /// Several are served and the request names none.
    case ambiguous(served: [String])
    case unknown(String, served: [String])
    case unknownVersion(String, of: String, resident: [Int])
    /// No version in memory has the tokens' fingerprint.
    case notResident(String, resident: [String])
}
