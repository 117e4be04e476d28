/// One request and its answer, between the frames that begin and end it.
final class HTTP2Stream {
    typealias Instant = ContinuousClock.Instant

    enum Phase: Equatable {
        /// Its head arrives.
        case head
        /// The head is out; `accept` or `answer` must follow.
        case admission
        case body
        /// The request is out; `answer` must follow.
        case handling
        /// A failure is out; `answer` must follow.
        case refusing
        /// The answer is being written.
        case writing
        /// The answer is written; the rest of a body that nobody wants is read and thrown away.
        case discarding

        var timeout: LoopCounters.Timeout {
            switch self {
            case .head: .head
            case .body, .discarding: .body
            case .admission, .handling, .refusing: .answer
            case .writing: .write
            }
        }

        /// Whether its answer is yet to come.
        var isUnanswered: Bool { self != .head && self != .writing && self != .discarding }
    }

    let id: Int32
    private(set) var phase = Phase.head
    private(set) var deadline: Instant

    var reader: HTTP2HeadReader
    var head: HTTPRequestHead?
    var expectsContinue = false

    var body = BodyBytes()
    var reservation: BodyReservation
    /// Its request has been let in.
    var isAdmitted = false
    /// The client has said everything.
    var isWhole = false
    var maximumBodyBytes = 0
    /// What has arrived, and not been said to make room.
    var unconsumedBytes = 0
    var smallFrames: Int
    /// How much more is thrown away for the sake of clients that do not listen while they speak.
    var discardBytes: Int

    var answerTimeout: Duration
    /// When the client stops waiting, if it has said so.
    var clientDeadline: Instant?
    var answer: [UInt8] = []
    /// Whether more of the answer follows, until when, and whether nghttp2 waits for it.
    var isOpen = false
    var openDeadline: Instant?
    var isDeferred = false
    var answeredBytes = 0

    private(set) var transferStart: Instant
    private(set) var transferredBytes = 0

    init(_ id: Int32, limits: HTTPLimits, reservation: consuming BodyReservation, at now: Instant) {
        self.id = id
        self.reservation = reservation
        reader = HTTP2HeadReader(limits: limits)
        deadline = now + limits.headTimeout
        answerTimeout = limits.answerTimeout
        smallFrames = limits.smallChunks
        discardBytes = limits.discardBytes
        transferStart = now
    }

    /// Not later than the client waits, where it has said how long.
    func enter(_ phase: Phase, until deadline: Instant) {
        self.phase = phase
        self.deadline = clientDeadline.map { min($0, deadline) } ?? deadline
    }

    func startTransfer(at now: Instant) {
        (transferStart, transferredBytes) = (now, 0)
    }

    func transferred(_ count: Int) {
        transferredBytes += count
    }

    /// How fast the bytes of its body or answer move; `nil` where none are expected.
    func bytesPerSecond(at now: Instant) -> Double? {
        switch phase {
        case .body, .discarding, .writing: Double(transferredBytes) / Double(max(1, (now - transferStart) / .milliseconds(1))) * 1000
        case .head, .admission, .handling, .refusing: nil
        }
    }

    /// Somebody works for its answer.
    var isInWork: Bool { isAdmitted && (phase.isUnanswered || isOpen) }

    /// Nothing of the body is wanted any more.
    func dropBody() {
        body.discard()
        reservation.giveBack()
    }
}
