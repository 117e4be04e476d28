/// The JSON that `/models` answers.
struct ModelsDocument: Encodable {
    struct Model: Encodable {
        let model: String
        /// Whether requests that name no model get this one.
        let isDefault: Bool
        /// The current version first, then earlier ones whose tokens can still be decoded.
        let versions: [Version]

        enum CodingKeys: String, CodingKey {
            case model, versions
            case isDefault = "default"
        }
    }

    struct Version: Encodable {
        let version: Int
        let fingerprint: String
        let grid: TokensDocument.Grid
        let precision: String

        init(_ facts: ModelFacts) {
            version = facts.version
            fingerprint = facts.fingerprint
            grid = TokensDocument.Grid(facts)
            precision = facts.precision.rawValue
        }
    }

    let models: [Model]

    init(_ registry: ModelRegistry) {
        let listing = registry.listing
        models = listing.map { name, versions in
            let isDefault = listing.count == 1 || name == ModelRegistry.defaultName
            return Model(model: name, isDefault: isDefault, versions: versions.map(Version.init))
        }
    }
}
