/// Bytes received and not yet understood.
struct InputBuffer {
    /// What a search for the end of a line found.
    enum Line {
        /// Its bytes without the CRLF.
        case complete(ArraySlice<UInt8>)
        case incomplete
        case tooLong
        /// A line feed without a carriage return before it.
        case bareLineFeed
    }

    private var bytes: [UInt8] = []
    private var start = 0
    /// Everything before it is known to hold no line feed, so that bytes arriving one at a time are each looked at once.
    private var searched = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ new: Span<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        new.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    /// Takes the next line, if it has arrived.
    ///
    /// The verdict depends only on the bytes, never on the pieces they arrived in.
    /// - Parameter limit: the longest line accepted, without its CRLF.
    mutating func takeLine(limit: Int) -> Line {
        guard let lineFeed = bytes[searched...].firstIndex(of: .lineFeed) else {
            searched = bytes.count
            return count > limit + 1 ? .tooLong : .incomplete
        }
        let line = bytes[start..<lineFeed]
        guard line.count <= limit + 1 else { return .tooLong }
        guard line.last == .carriageReturn else { return .bareLineFeed }
        skip(line.count + 1)
        return .complete(line.dropLast())
    }

    /// Takes what has arrived of the line in progress, with its line feed where that has; `nil` where nothing has.
    mutating func takePiece() -> ArraySlice<UInt8>? {
        guard !isEmpty else { return nil }
        let end = bytes[start...].firstIndex(of: .lineFeed).map { $0 + 1 } ?? bytes.count
        let piece = bytes[start..<end]
        skip(piece.count)
        return piece
    }

    /// Whether what has arrived begins with all of `text`; `nil` while that is still to be seen.
    func starts(with text: [UInt8]) -> Bool? {
        let arrived = bytes[start...].prefix(text.count)
        guard text.starts(with: arrived) else { return false }
        return arrived.count == text.count ? true : nil
    }

    /// Moves at most `limit` bytes to the end of `destination`.
    /// - Returns: the number moved.
    mutating func move(atMost limit: Int, to destination: inout [UInt8]) -> Int {
        let moved = min(limit, count)
        destination.append(contentsOf: bytes[start..<start + moved])
        skip(moved)
        return moved
    }

    /// Forgets at most `limit` bytes.
    /// - Returns: the number forgotten.
    mutating func drop(atMost limit: Int) -> Int {
        let dropped = min(limit, count)
        skip(dropped)
        return dropped
    }

    /// Hands out everything.
    mutating func takeAll() -> [UInt8] {
        defer { removeAll() }
        return Array(bytes[start...])
    }

    /// Forgets everything and gives the memory back.
    mutating func removeAll() {
        self = InputBuffer()
    }

    private mutating func skip(_ skipped: Int) {
        start += skipped
        searched = start
        if start == bytes.count {
            // Resting connections are many: only a small request's memory is worth keeping.
            bytes.removeAll(keepingCapacity: bytes.capacity <= 4 << 10)
            start = 0
            searched = 0
        }
    }
}
