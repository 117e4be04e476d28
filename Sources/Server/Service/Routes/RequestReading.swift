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
                try ClaimedTokens(body, type: terms.bodyType, fingerprint: terms.fingerprint, listLimit: limit)
            }
            let model = try Problem.refusing { () throws(ModelError) in
                try stages.registry.resident(fingerprint: claimed.fingerprint, model: terms.model)
            }
            (self.model, isList) = (model, claimed.isList)
            sources = claimed.images(for: model.facts).map { $0.map { .tokens($0) }.mapError(\.problem) }
        } else {
            let files = try Problem.refusing { () throws(PayloadError) in try ImageBody(body, type: terms.bodyType, listLimit: limit) }
            guard files.model == nil || terms.model == nil || files.model == terms.model else {
                throw Problem(.invalidField, "the body's model and the query's differ")
            }
            model = try Problem.refusing { () throws(ModelError) in try stages.registry.find(files.model ?? terms.model, version: terms.version) }
            isList = files.isList
            sources = files.files.map { $0.map { .picture($0) }.mapError(\.problem) }
        }
    }

    /// - Parameter asked: the model that the request's path names.
    init(_ asked: InferenceModel, _ body: [UInt8], _ terms: RequestTerms, _ stages: ComputeStages) throws(Problem) {
        let request = try Problem.refusing { () throws(PayloadError) in try InferenceRequest(body, headerBytes: terms.inferenceHeaderBytes) }
        let model = try asked.operation == .decode ? Self.decoder(asked, request, terms, stages.registry) : asked
        let sources = try Problem.refusing { () throws(PayloadError) in try model.sources(of: request, listLimit: stages.listLimit) }
        let outputs = try Problem.refusing { () throws(PayloadError) in try request.wanted(of: model.outputs) }
        (operation, self.model, isList) = (asked.operation, model.served, false)
        self.sources = sources.map { $0.mapError(\.problem) }
        inference = (model, request.id, outputs)
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
