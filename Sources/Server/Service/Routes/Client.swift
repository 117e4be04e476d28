import HTTPTransport

/// Who waits for an answer, and what is known of the request.
struct Client: Sendable {
    let responder: HTTPResponder
    let record: RequestRecord
    /// The key that its items are charged to; nil where none is needed.
    private let account: (ring: KeyRing, key: APIKeys.Key)?

    init(_ responder: HTTPResponder, _ record: RequestRecord, paying account: (ring: KeyRing, key: APIKeys.Key)? = nil) {
        (self.responder, self.record, self.account) = (responder, record, account)
        responder.onCancel { record.givenUp($0) }
    }

    /// - Throws: where its key does not allow that many.
    func charge(_ items: Int, for operation: Operation) throws(Problem) {
        if let account { try account.ring.charge(account.key, items, of: operation) }
    }

    /// Nothing is said twice: an answer that comes after the client has gone is no answer.
    func answer(_ response: HTTPResponse) {
        guard !responder.isCancelled else { return }
        responder.respond(record.answered(response))
    }

    /// The head of an answer whose body comes in parts.
    func begin(_ response: HTTPResponse) {
        responder.begin(record.begun(response))
    }

    /// Ends such an answer.
    func finish() {
        guard !responder.isCancelled else { return }
        _ = record.answered(HTTPResponse(status: .ok))
        responder.finish()
    }

    func refuse(_ problem: Problem) {
        record.refused(problem)
        answer(problem.response(for: record.identity.id, isInference: record.isInference))
    }
}
