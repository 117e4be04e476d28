/// Collects one request body. Its memory grows as bytes arrive, never by what was announced.
struct HTTP1BodyReader: ~Copyable {
    /// `nil` for a chunked body.
    private let length: Int?
    private var chunks: HTTP1ChunkReader
    private let maximumBytes: Int
    private var reservation: BodyReservation
    private var bytes: [UInt8] = []

    /// - Throws: 413 or 503 where the announced length alone decides.
    init(_ framing: HTTP1Framing, maximumBytes: Int, limits: HTTPLimits, budget: BodyBudget) throws(HTTPError) {
        length = framing.announcedBytes
        guard length ?? 0 <= maximumBytes else { throw .bodyTooLarge }
        guard budget.canTake(length ?? 0) else { throw .outOfBodyMemory }
        chunks = HTTP1ChunkReader(limits: limits)
        self.maximumBytes = maximumBytes
        reservation = BodyReservation(from: budget)
    }

    /// Takes what has arrived.
    /// - Returns: whether the body is complete.
    mutating func read(from input: inout InputBuffer) throws(HTTPError) -> Bool {
        let isComplete: Bool
        if let length {
            reserveCapacity(length, arriving: input.count)
            _ = input.move(atMost: length - bytes.count, to: &bytes)
            isComplete = bytes.count == length
        } else {
            isComplete = try chunks.read(from: &input, into: &bytes, room: maximumBytes - bytes.count)
        }
        guard reservation.grow(to: bytes.count) else { throw .outOfBodyMemory }
        return isComplete
    }

    /// Hands the body out unshared; its share of the budget stays until the reader goes, with the answer.
    mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Doubles what has arrived, up to the announced length, so that the last step is exact.
    private mutating func reserveCapacity(_ length: Int, arriving: Int) {
        let needed = min(length, bytes.count + arriving)
        if needed > bytes.capacity {
            bytes.reserveCapacity(min(length, max(2 * needed, 64 << 10)))
        }
    }
}

extension HTTPError {
    static let outOfBodyMemory = HTTPError(
        .serviceUnavailable, "the server holds as many request bodies as it can; try again", retryAfterSeconds: 1)
}
