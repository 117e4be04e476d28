/// The JSON that `/models` answers.
struct ModelsDocument {
    private let models: [ModelRegistry.Listing]

    init(_ registry: ModelRegistry) {
        models = registry.listing
    }

    var json: JSONValue { ["models": list] }

    /// One object for each model.
    var list: JSONValue {
        .array(
            models.map { model in
                [
                    "model": .string(model.name), "default": .boolean(models.count == 1 || model.name == ModelRegistry.defaultName),
                    "versions": .array(model.versions.map { Self.version($0, model.role(of: $0)) }),
                ]
            })
    }

    private static func version(_ facts: ModelFacts, _ role: VersionRole?) -> JSONValue {
        [
            "labels": .array(role.map { [.string($0.rawValue)] } ?? []),
            "version": .integer(facts.version), "fingerprint": .string(facts.fingerprint), "grid": TokensDocument.Grid(facts).json,
            "autoencoder": .string(facts.autoencoder), "precision": .string(facts.precision.rawValue),
        ]
    }
}
