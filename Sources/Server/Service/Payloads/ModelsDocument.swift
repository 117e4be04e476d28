/// The JSON that `/models` answers.
struct ModelsDocument {
    /// Each model's name, whether requests that name none get it, and its versions: the current one first, then earlier ones whose tokens can
    /// still be decoded.
    private let models: [(name: String, isDefault: Bool, versions: [ModelFacts])]

    init(_ registry: ModelRegistry) {
        let listing = registry.listing
        models = listing.map { ($0, listing.count == 1 || $0 == ModelRegistry.defaultName, $1) }
    }

    var json: JSONValue { ["models": list] }

    /// One object for each model.
    var list: JSONValue {
        .array(
            models.map { name, isDefault, versions in
                ["model": .string(name), "default": .boolean(isDefault), "versions": .array(versions.map(Self.version))]
            })
    }

    private static func version(_ facts: ModelFacts) -> JSONValue {
        [
            "version": .integer(facts.version), "fingerprint": .string(facts.fingerprint), "grid": TokensDocument.Grid(facts).json,
            "precision": .string(facts.precision.rawValue),
        ]
    }
}
