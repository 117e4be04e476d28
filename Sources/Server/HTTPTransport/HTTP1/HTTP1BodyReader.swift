/// Collects one request body, or throws it away. Its memory grows as bytes arrive, never by what was announced.
struct HTTP1BodyReader: ~Copyable {
    private(set) var isComplete: Bool
    /// `nil` for a chunked body.
    private let length: Int?
    private var chunks: HTTP1ChunkReader
    private var maximumBytes: Int
    private var bytes = BodyBytes()
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

    consuming func takeReservation() -> BodyReservation {
        reservation
    }

    /// Hands the body out unshared; its share of the budget stays until the reader goes, with the answer.
    mutating func takeBytes() -> [UInt8] {
        bytes.takeKept()
    }
}
