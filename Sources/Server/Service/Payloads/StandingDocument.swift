import Files

/// The JSON of what holds for a model: what is served, what may be, and what a trial has shown.
struct StandingDocument {
    private let model: String
    private let standing: ModelStanding
    private let listing: ModelRegistry.Listing?
    private let trial: (canary: ModelIdentity, figures: CanaryFigures)?

    /// - Throws: where there is no such model, neither in memory nor on disk.
    init(_ model: String, of watcher: CheckpointWatcher, _ registry: ModelRegistry, _ trials: CanaryTrials) throws(ModelError) {
        self.model = model
        standing = try watcher.standing(of: model)
        listing = registry.listing.first { $0.name == model }
        trial = trials.figures.first { $0.model == model }.map { ($0.canary, $0.figures) }
    }

    var json: JSONValue {
        var fields: [String: JSONValue] = [
            "model": .string(model), "unloaded": .boolean(standing.isUnloaded),
            "refused": .array(standing.refused.keys.map { .string(PathName.last(of: $0)) }.sorted { "\($0)" < "\($1)" }),
        ]
        if let stable = listing?.versions.first { fields["stable"] = .integer(stable.version) }
        if let canary = listing?.canary { fields["canary"] = .integer(canary.version) }
        if let pin = standing.pinned { fields["pinned"] = .string(pin) }
        if let trial { fields["trial"] = Self.document(trial.canary, trial.figures) }
        return .object(fields)
    }

    private static func document(_ canary: ModelIdentity, _ figures: CanaryFigures) -> JSONValue {
        var fields: [String: JSONValue] = [
            "version": .integer(canary.version), "pictures": .integer(figures.pictures), "failures": .integer(figures.failures),
        ]
        if let share = figures.meanAgreement { fields["agreement"] = .number(share) }
        if let difference = figures.psnrDifference { fields["psnr_difference"] = .number(difference) }
        return .object(fields)
    }
}
