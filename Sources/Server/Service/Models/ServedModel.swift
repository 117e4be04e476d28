import TokenizerCore

/// One resident version of a model, under the name it is served by, for pictures of one size.
struct ServedModel: Sendable {
    let name: String
    private let version: ResidentVersion
    /// For pictures of another size than its own.
    private var resized: (any Engine)?

    init(name: String, _ version: ResidentVersion) {
        (self.name, self.version) = (name, version)
    }

    /// A model that no registry knows, for tests.
    init(name: String, engine: any Engine) {
        self.init(name: name, ResidentVersion(engine))
    }

    var engine: any Engine { resized ?? version.engine }
    var facts: ModelFacts { engine.facts }
    /// Of its tokens; nil where the checkpoint has nothing to compare with, as it has not for other sizes.
    var health: TokenHealth? { resized == nil ? version.health : nil }

    /// The size of its pictures, where that is not its own.
    var otherSize: PictureSize? { resized?.facts.size }
    /// How many pictures of its own size have as many pixels, at least 1: what one counts for in queues, batches and quotas.
    var places: Int { max(1, (facts.size.pixels - 1) / version.facts.size.pixels + 1) }

    /// The same for pictures of another size; nil for its own.
    func resized(to size: PictureSize?, within limits: SizeLimits) throws(SizeRefusal) -> ServedModel {
        guard let size, size != version.facts.size else { return self }
        try limits.check(size, of: version.facts)
        do throws(VisualTokenizer.SizeError) {
            var other = self
            other.resized = try version.engine.resized(to: size)
            return other
        } catch {
            throw SizeRefusal(error.description)
        }
    }
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
