import Synchronization

/// One resident version of a model, under the name it is served by.
struct ServedModel: Sendable {
    let name: String
    let engine: any Engine

    var facts: ModelFacts { engine.facts }
}

/// The models that requests may use, each with its current version and a few earlier ones whose tokens can still be decoded.
///
/// A request takes a reference and keeps it, so a swap never disturbs what is running. The lock is held for a look-up only.
final class ModelRegistry: Sendable {
    /// The version that new requests get, then those it replaced, newest first.
    private typealias Versions = [any Engine]

    /// The model that answers requests which name none, if several are served.
    static let defaultName = "default"

    private let residentVersions: Int
    private let models = Mutex<[String: Versions]>([:])

    /// - Parameter residentVersions: how many versions of a model stay in memory, at least 1.
    init(residentVersions: Int) {
        precondition(residentVersions >= 1, "at least one version stays resident, got \(residentVersions)")
        self.residentVersions = residentVersions
    }

    var isReady: Bool { models.withLock { !$0.isEmpty } }

    /// The names of all models, sorted, each with its resident versions, the current one first.
    var listing: [(name: String, versions: [ModelFacts])] {
        models.withLock { models in
            models.sorted { $0.key < $1.key }.map { ($0.key, $0.value.map(\.facts)) }
        }
    }

    /// Makes `engine` the current version of a model. The oldest version beyond the bound is let go.
    func serve(_ engine: any Engine, as name: String) {
        // Engines are released outside the lock: unmapping a large model takes a while.
        let dropped: Versions = models.withLock { models in
            let versions = [engine] + (models[name] ?? []).filter { $0 !== engine }
            models[name] = Array(versions.prefix(residentVersions))
            return Array(versions.dropFirst(residentVersions))
        }
        _ = dropped
    }

    /// Stops serving a model. Requests that have a reference to it are still answered.
    func remove(_ name: String) {
        let dropped = models.withLock { $0.removeValue(forKey: name) }
        _ = dropped
    }

    /// The current version of a model.
    /// - Parameter name: nil for the only model, or the one named ``defaultName``.
    func current(_ name: String?) throws(ModelError) -> ServedModel {
        let models = models.withLock { $0 }
        let name = try Self.resolve(name, among: models)
        guard let engine = models[name]?.first else { throw .unknown(name, served: models.keys.sorted()) }
        return ServedModel(name: name, engine: engine)
    }

    /// The resident version whose tokens have this fingerprint; the newest if there are several.
    /// - Parameter name: nil to search all models.
    func resident(fingerprint: String, model name: String?) throws(ModelError) -> ServedModel {
        let models = models.withLock { $0 }
        guard !models.isEmpty else { throw .notReady }
        if let name, models[name] == nil { throw .unknown(name, served: models.keys.sorted()) }
        for (candidate, versions) in models.sorted(by: { $0.key < $1.key }) where name == nil || candidate == name {
            if let engine = versions.first(where: { $0.facts.fingerprint == fingerprint }) {
                return ServedModel(name: candidate, engine: engine)
            }
        }
        throw .notResident(fingerprint, resident: models.values.joined().map(\.facts.fingerprint).sorted())
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
    /// No version in memory has the tokens' fingerprint.
    case notResident(String, resident: [String])
}
