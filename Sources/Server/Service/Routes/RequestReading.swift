import HTTPTransport
import TokenizerCore

/// What a body asks for: of which model, and its items, each with why it cannot be served where it cannot.
struct RequestReading {
    let operation: Operation
    let model: ServedModel
    let sources: [Result<ComputeItem.Source, Problem>]
    let isList: Bool

    init(_ operation: Operation, _ body: [UInt8], _ terms: RequestTerms, _ stages: ComputeStages) throws(Problem) {
        guard !body.isEmpty else { throw Problem(.emptyBody, "the request has no body") }
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
            model = try Problem.refusing { () throws(ModelError) in try stages.registry.current(files.model ?? terms.model) }
            isList = files.isList
            sources = files.files.map { $0.map { .picture($0) }.mapError(\.problem) }
        }
    }
}
