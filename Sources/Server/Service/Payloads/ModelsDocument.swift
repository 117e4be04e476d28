/// The JSON that `/models` answers.
struct ModelsDocument {
    private let models: [ModelRegistry.Listing]
    private let sizes: SizeLimits

    init(_ registry: ModelRegistry, _ sizes: SizeLimits) {
        (models, self.sizes) = (registry.listing, sizes)
    }

    var json: JSONValue { ["models": list] }

    /// One object for each model.
    var list: JSONValue {
        .array(
            models.map { model in
                [
                    "model": .string(model.name), "default": .boolean(models.count == 1 || model.name == ModelRegistry.defaultName),
                    "versions": .array(model.versions.map { version($0, model.role(of: $0)) }),
                ]
            })
    }

    private func version(_ facts: ModelFacts, _ role: VersionRole?) -> JSONValue {
        var fields: [String: JSONValue] = [
            "labels": .array(role.map { [.string($0.rawValue)] } ?? []),
            "version": .integer(facts.version), "fingerprint": .string(facts.fingerprint), "grid": TokensDocument.Grid(facts).json,
            "autoencoder": .string(facts.autoencoder), "precision": .string(facts.precision.rawValue), "stages": .integer(facts.stages),
        ]
        if let step = facts.sizeStep, let most = sizes.mostPixels(of: facts) {
            fields["sizes"] = ["minimum": .integer(step), "multiple": .integer(step), "maximum_pixels": .integer(most)]
        }
        return .object(fields)
    }
}
