import HTTPTransport
import TokenizerCore

/// What a body asks for: of which model, and its items, each with why it cannot be served where it cannot.
struct RequestReading {
    let operation: Operation
    let model: ServedModel
    let sources: [Result<ComputeItem.Source, Problem>]
    let isList: Bool
    /// What is to be answered in the Open Inference Protocol; nil where it is not spoken.
    let inference: (model: InferenceModel, id: String?, outputs: [InferenceRequest.Output])?

    init(_ operation: Operation, _ body: [UInt8], _ terms: RequestTerms, _ stages: ComputeStages) throws(Problem) {
        inference = nil
        self.operation = operation
        let limit = stages.listLimit
        if operation == .decode {
            let claimed = try Problem.refusing { () throws(PayloadError) in
                try ClaimedTokens(body, type: terms.bodyType, fingerprint: terms.fingerprint, size: terms.size, listLimit: limit)
            }
            let found = try Problem.refusing { () throws(ModelError) in
                try stages.registry.resident(fingerprint: claimed.fingerprint, model: terms.model)
            }
            let model = try Problem.refusing { () throws(SizeRefusal) in try found.resized(to: claimed.size, within: stages.sizes) }
            (self.model, isList) = (model, claimed.isList)
            sources = claimed.images(for: model.facts).map { $0.map { .tokens($0) }.mapError(\.problem) }
        } else {
            let files = try Problem.refusing { () throws(PayloadError) in try ImageBody(body, type: terms.bodyType, listLimit: limit) }
            guard files.model == nil || terms.model == nil || files.model == terms.model else {
                throw Problem(.invalidField, "the body's model and the query's differ")
            }
            let found = try Problem.refusing { () throws(ModelError) in
                try stages.registry.find(files.model ?? terms.model, version: terms.version)
            }
            model = try Problem.refusing { () throws(SizeRefusal) in try found.resized(to: terms.size, within: stages.sizes) }
            isList = files.isList
            sources = files.files.map { $0.map { .picture($0) }.mapError(\.problem) }
        }
        try checkPlaces(stages.sizes.places)
    }

    /// What can never have as many places at once is not told to try again.
    private func checkPlaces(_ most: Int) throws(Problem) {
        guard sources.count * model.places <= most else {
            throw Problem(
                .listTooLong,
                "\(sources.count) pictures of \(model.facts.size.words) count as \(sources.count * model.places) of the model's own size; at most \(most) are taken at once"
            )
        }
    }

    /// - Parameter asked: the model that the request's path names.
    init(_ asked: InferenceModel, _ body: [UInt8], _ terms: RequestTerms, _ stages: ComputeStages) throws(Problem) {
        let request = try Problem.refusing { () throws(PayloadError) in try InferenceRequest(body, headerBytes: terms.inferenceHeaderBytes) }
        let found = try asked.operation == .decode ? Self.decoder(asked, request, terms, stages.registry) : asked
        let model = try Problem.refusing { () throws(SizeRefusal) in try found.resized(for: request, within: stages.sizes) }
        let sources = try Problem.refusing { () throws(PayloadError) in try model.sources(of: request, listLimit: stages.listLimit) }
        let outputs = try Problem.refusing { () throws(PayloadError) in try request.wanted(of: model.outputs) }
        (operation, self.model, isList) = (asked.operation, model.served, false)
        self.sources = sources.map { $0.mapError(\.problem) }
        inference = (model, request.id, outputs)
        try checkPlaces(stages.sizes.places)
    }

    /// The version whose tokens the request brings, which it has to say.
    private static func decoder(
        _ asked: InferenceModel, _ request: InferenceRequest, _ terms: RequestTerms, _ registry: ModelRegistry
    ) throws(Problem) -> InferenceModel {
        guard let fingerprint = request.fingerprint ?? terms.fingerprint else {
            guard terms.captures["version"] != nil else {
                throw Problem(
                    .invalidField,
                    "the request does not say whose tokens it brings; name a version in the path, or give the parameter \"fingerprint\" that the encoder answered"
                )
            }
            return asked
        }
        guard terms.captures["version"] == nil || fingerprint == asked.facts.fingerprint else {
            throw Problem(.invalidField, "the request's fingerprint is not that of the version in its path")
        }
        let served = try Problem.refusing { () throws(ModelError) in
            try registry.resident(fingerprint: fingerprint, model: asked.served.name)
        }
        return InferenceModel(operation: asked.operation, served: served)
    }
}
