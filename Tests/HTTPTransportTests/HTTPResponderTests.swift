import Locks
import Testing

@testable import HTTPTransport

@Suite struct HTTPResponderTests {
    /// Collects what happens, in order.
    final class Journal: Sendable {
        private let lines = Lock<[String]>([])
        var entries: [String] { lines.withLock { $0 } }
        func note(_ line: String) { lines.withLock { $0.append(line) } }
    }

    func responder(_ journal: Journal) -> HTTPResponder {
        HTTPResponder { journal.note("answered \($0.status.code)") }
    }

    @Test func onlyTheFirstAnswerCounts() {
        let journal = Journal()
        let responder = responder(journal)
        #expect(responder.respond(HTTPResponse(status: .ok)))
        #expect(!responder.respond(HTTPResponse(status: .notFound)))
        responder.cancel(.disconnected)
        responder.onCancel { _ in journal.note("cancelled") }
        #expect(!responder.isCancelled)
        #expect(journal.entries == ["answered 200"])
    }

    @Test func cancellationRunsItsActionsOnceInOrder() {
        let journal = Journal()
        let responder = responder(journal)
        responder.onCancel { journal.note("first \($0)") }
        responder.onCancel { journal.note("second \($0)") }
        responder.cancel(.deadlinePassed)
        responder.cancel(.disconnected)
        responder.onCancel { journal.note("late \($0)") }
        #expect(responder.isCancelled)
        #expect(!responder.respond(HTTPResponse(status: .ok)))
        #expect(journal.entries == ["first deadlinePassed", "second deadlinePassed", "late deadlinePassed"])
    }

    @Test func droppedResponderAnswers500() {
        let journal = Journal()
        _ = responder(journal)
        #expect(journal.entries == ["answered 500"])
    }

    @Test func actionMayHoldItsOwnResponder() {
        let journal = Journal()
        var responder: HTTPResponder? = responder(journal)
        let held = responder!
        held.onCancel { _ in journal.note("\(held.isCancelled)") }
        responder = nil
        held.respond(HTTPResponse(status: .ok))
        #expect(journal.entries == ["answered 200"])
    }
}
