/// Collects one request body, or throws it away. Its memory grows as bytes arrive, never by what was announced.
struct HTTP1BodyReader: ~Copyable {
    private(set) var isComplete: Bool
    /// `nil` for a chunked body.
    private let length: Int?
    private var chunks: HTTP1ChunkReader
    private var maximumBytes: Int
    private var bytes = HTTP1BodyBytes()
    private let budget: BodyBudget
    private var reservation: BodyReservation

    /// Nothing may be read before `admit` or `discard`.
    init(_ framing: HTTP1Framing, limits: HTTPLimits, budget: BodyBudget) {
        length = framing.announcedBytes
        isComplete = length == 0
        chunks = HTTP1ChunkReader(limits: limits)
        maximumBytes = 0
        self.budget = budget
        reservation = BodyReservation(from: budget)
    }

    /// Lets a body of at most `maximumBytes` in.
    /// - Throws: 413 or 503 where the announced length alone decides.
    mutating func admit(maximumBytes: Int) throws(HTTPError) {
        self.maximumBytes = maximumBytes
        guard length ?? 0 <= maximumBytes else { throw .bodyTooLarge }
        guard budget.canTake(length ?? 0) else { throw .outOfBodyMemory }
    }

    /// Keeps nothing from now on, and gives the memory of what was kept back.
    /// - Returns: false if more than `limit` bytes are known to be still to come.
    mutating func discard(atMost limit: Int) -> Bool {
        guard !isComplete else { return true }
        bytes.discard()
        reservation.giveBack()
        maximumBytes = bytes.count + limit
        return length.map { $0 - bytes.count } ?? chunks.announcedBytes <= limit
    }

    /// Takes what has arrived.
    /// - Returns: whether the body is complete.
    mutating func read(from input: inout InputBuffer) throws(HTTPError) -> Bool {
        if let length {
            bytes.take(atMost: length - bytes.count, of: length, from: &input)
            isComplete = bytes.count == length
        } else {
            isComplete = try chunks.read(from: &input, into: &bytes, maximumBytes: maximumBytes)
        }
        guard reservation.grow(to: bytes.keptBytes) else { throw .outOfBodyMemory }
        return isComplete
    }

    /// Hands the body out unshared; its share of the budget stays until the reader goes, with the answer.
    mutating func takeBytes() -> [UInt8] {
        bytes.takeKept()
    }
}

/// The bytes of a body: kept, or only counted once nobody wants them.
struct HTTP1BodyBytes {
    private(set) var count = 0
    private var kept: [UInt8] = []
    private var keeps = true

    var keptBytes: Int { kept.count }

    /// - Parameter length: of the whole body, where it is known: memory doubles with what has arrived up to it, so that the last step
    ///   is exact.
    /// - Returns: the number taken.
    @discardableResult
    mutating func take(atMost limit: Int, of length: Int? = nil, from input: inout InputBuffer) -> Int {
        let taken: Int
        if keeps {
            if let length { reserve(length, arriving: input.count) }
            taken = input.move(atMost: limit, to: &kept)
        } else {
            taken = input.drop(atMost: limit)
        }
        count += taken
        return taken
    }

    mutating func discard() {
        keeps = false
        kept = []
    }

    mutating func takeKept() -> [UInt8] {
        defer { kept = [] }
        return kept
    }

    private mutating func reserve(_ length: Int, arriving: Int) {
        let needed = min(length, kept.count + arriving)
        if needed > kept.capacity {
            kept.reserveCapacity(min(length, max(2 * needed, 64 << 10)))
        }
    }
}

extension HTTPError {
    static let outOfBodyMemory = HTTPError(
        .serviceUnavailable, "the server holds as many request bodies as it can; try again", retryAfterSeconds: 1, leavesFraming: true)
}
