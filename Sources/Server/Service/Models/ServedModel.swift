/// One resident version of a model, under the name it is served by.
struct ServedModel: Sendable {
    let name: String
    private let version: ResidentVersion

    init(name: String, _ version: ResidentVersion) {
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
final class ResidentVersion: Sendable {
    let engine: any Engine
    let health: TokenHealth?

    init(_ engine: any Engine) {
        self.engine = engine
        health = TokenHealth(engine.facts.reference)
    }

    var facts: ModelFacts { engine.facts }
    var identity: ModelIdentity { engine.facts.identity }
}

/// What a version is to its model. The raw value is the label by which clients ask for it in the place of a number.
enum VersionRole: String, Sendable, CaseIterable {
    /// New requests get it.
    case stable
    /// On trial beside the stable one: only who asks for it gets it.
    case canary
}
