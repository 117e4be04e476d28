import Files
import HTTPTransport
import Locks

/// The answer to a request, as its items end: at once for one alone, together for a list, or a line for each as soon as there is one.
final class RequestAnswer: Sendable {
    private struct State {
        var results: [Result<Outcome, Problem>?]
        /// Of a list that is written member by member.
        var members: [JSONValue?]
        var left: Int
    }

    /// What decides the results of the items; nil for one that has no source.
    let keys: [SharedResults.Key?]
    private let form: AnswerForm
    private let isList: Bool
    private let inference: (model: InferenceModel, id: String?, outputs: [InferenceRequest.Output])?
    private let client: Client
    private let state: Lock<State>
    /// Decided by what decides every byte of the answer, so that it is known before anything is computed; nil where members come as they end.
    private let tag: String?
    /// Whether the client has this answer.
    let isKnown: Bool

    /// - Throws: where a list has none of the forms that the client takes.
    init(_ reading: RequestReading, _ terms: RequestTerms, _ client: Client) throws(Problem) {
        inference = reading.inference
        isList = reading.isList || terms.answerType == MediaType.ndjson
        guard let type = isList ? terms.listAnswerType : terms.answerType else {
            throw Problem(.notAcceptable, "a list is answered as \(Route.listFormats.joined(separator: " or "))")
        }
        form = AnswerForm(type: type, quality: terms.quality, model: reading.model)
        let keys = reading.sources.map { source in
            (try? source.get()).map { SharedResults.Key(reading.operation, $0, by: reading.model.facts, size: reading.model.otherSize) }
        }
        let parts = [type, "\(terms.quality)", "\(isList)", reading.model.name] + keys.map { $0?.text ?? "" }
        let tag = type == MediaType.ndjson || inference != nil ? nil : "\"\(FileDigest.sha256(parts.joined(separator: "\n")).prefix(32))\""
        (self.keys, self.tag, self.client) = (keys, tag, client)
        isKnown = tag?.isAmong(terms.knownTags.filter { $0 != "*" }) == true
        state = Lock(State(results: keys.map { _ in nil }, members: keys.map { _ in nil }, left: keys.count))
    }

    /// Whether one item at most is still to end.
    var isLast: Bool { state.withLock { $0.left <= 1 } }

    private var isStreamed: Bool { form.type == MediaType.ndjson }
    private var requestID: String { client.record.identity.id }

    /// Before anything is computed.
    func begin() {
        if isStreamed { client.begin(HTTPResponse(status: .ok, headers: headers)) }
    }

    func sendNotModified() {
        var headers = headers
        (headers["Content-Type"], headers["ETag"]) = (nil, tag)
        client.answer(HTTPResponse(status: .notModified, headers: headers))
    }

    /// An item has ended.
    /// - Returns: whether it was the last.
    func add(_ result: Result<Outcome, Problem>, at index: Int) -> Bool {
        if isList, case .failure(let problem) = result { client.record.refused(problem) }
        if case .success(let outcome) = result, case .tokens(let tokens) = outcome.output { form.model.health?.add(tokens) }
        let member = isList && form.hasMembers ? form.member(index, result, for: requestID) : nil
        if isStreamed, let member { client.responder.send(member.bytes) }
        return state.withLock { state in
            (state.results[index], state.members[index]) = (result, isStreamed ? nil : member)
            state.left -= 1
            return state.left == 0
        }
    }

    /// What the client gets, when all have ended.
    func send() {
        if isStreamed { return client.finish() }
        let (results, members) = state.withLock { ($0.results.compactMap(\.self), $0.members.compactMap(\.self)) }
        if isList && form.hasMembers {
            let isWhole = results.allSatisfy { if case .success = $0 { true } else { false } }
            client.answer(response(form.body(ofMembers: members), isWhole: isWhole))
        } else {
            do throws(Problem) {
                client.answer(try response(results))
            } catch {
                client.refuse(error)
            }
        }
    }

    private func response(_ results: [Result<Outcome, Problem>]) throws(Problem) -> HTTPResponse {
        var outcomes: [Outcome] = []
        for (index, result) in results.enumerated() {
            do throws(Problem) {
                outcomes.append(try result.get())
            } catch {
                throw results.count > 1 ? error.of(item: index) : error
            }
        }
        if let inference { return response(inference.model.answer(outcomes, inference.outputs, id: inference.id)) }
        guard !isList else { return response(form.body(ofAll: outcomes)) }
        var response = response(form.body(of: outcomes[0]))
        if let psnr = outcomes[0].psnr { response.headers["Revq-PSNR"] = "\(psnr)" }
        if let ssim = outcomes[0].ssim { response.headers["Revq-SSIM"] = "\(ssim)" }
        return response
    }

    private func response(_ answer: (body: [UInt8], headerBytes: Int?)) -> HTTPResponse {
        var response = response(answer.body)
        response.headers["Content-Type"] = answer.headerBytes == nil ? MediaType.json : MediaType.octets
        if let count = answer.headerBytes { response.headers["Inference-Header-Content-Length"] = "\(count)" }
        return response
    }

    /// - Parameter isWhole: whether the same request would always get this answer.
    private func response(_ body: [UInt8], isWhole: Bool = true) -> HTTPResponse {
        var response = HTTPResponse(status: .ok, headers: headers, body: body)
        if isWhole { response.headers["ETag"] = tag }
        return response
    }

    private var headers: HTTPHeaders {
        var headers: HTTPHeaders = [
            "Content-Type": form.type, "Revq-Model": form.model.name, "Revq-Version": "\(form.model.facts.version)",
            "Revq-Fingerprint": form.model.facts.fingerprint,
        ]
        if let size = form.model.otherSize { headers["Revq-Size"] = "\(size)" }
        return headers
    }
}
