/// The bytes of a body: kept, or only counted once nobody wants them.
struct BodyBytes {
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

    /// Keeps, or only counts, all of `input`.
    /// - Parameter length: as in ``take(atMost:of:from:)``.
    mutating func append(_ input: UnsafeBufferPointer<UInt8>, of length: Int?) {
        count += input.count
        guard keeps else { return }
        if let length { reserve(length, arriving: input.count) }
        kept.append(contentsOf: input)
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

    static let bodyTooLarge = HTTPError(.contentTooLarge, "the body is larger than this resource accepts", leavesFraming: true)
}
