import Dispatch
import Files
import Locks

/// Sees to it that pictures with the same contents are computed once: now, by another thread, or by an earlier run.
final class ContentCache: Sendable {
    typealias Answer = Result<PictureEncoder.Encoded, PictureEncoder.Problem>

    private let journal: TokenJournal
    private let underWay = Lock<[ContentKey: Promise]>([:])

    init(_ journal: TokenJournal) {
        self.journal = journal
    }

    /// What a picture with these contents becomes.
    /// - Parameter compute: called where nobody has computed it, or does so now.
    /// - Throws: when the journal cannot be read or written.
    func answer(_ key: ContentKey, _ compute: () -> Answer) throws(FileError) -> Answer {
        if let known = try journal.encoded(key) { return .success(known) }
        let (promise, isOurs) = underWay.withLock { underWay in
            if let promise = underWay[key] { return (promise, false) }
            let promise = Promise()
            underWay[key] = promise
            return (promise, true)
        }
        guard isOurs else { return promise.answer() }
        let answer = compute()
        promise.keep(answer)
        if case .success(let encoded) = answer { try journal.append(encoded, of: key) }
        // Only now: whoever comes later finds it in the journal.
        underWay.withLock { $0[key] = nil }
        return answer
    }

    private final class Promise: Sendable {
        private let kept = Lock<Answer?>(nil), isKept = DispatchSemaphore(value: 0)

        func keep(_ answer: Answer) {
            kept.withLock { $0 = answer }
            isKept.signal()
        }

        func answer() -> Answer {
            isKept.wait()
            // For the next who waits.
            isKept.signal()
            return kept.withLock { $0! }
        }
    }
}
