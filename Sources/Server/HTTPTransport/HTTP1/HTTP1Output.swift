/// Bytes to write, in order: pieces are kept apart, so that an answer's body is never copied to stand behind its head.
struct HTTP1Output {
    private(set) var pieces: [[UInt8]] = []
    /// How much of the first piece is written.
    private(set) var offset = 0

    var isEmpty: Bool { pieces.isEmpty }

    mutating func append(_ piece: [UInt8]) {
        if !piece.isEmpty {
            pieces.append(piece)
        }
    }

    /// Everything still to write, in one array; for tests.
    var bytes: [UInt8] {
        Array(pieces.joined().dropFirst(offset))
    }

    /// - Precondition: `count` is not more than is left.
    mutating func drop(_ count: Int) {
        offset += count
        while let first = pieces.first, offset >= first.count {
            offset -= first.count
            pieces.removeFirst()
        }
        precondition(offset == 0 || !pieces.isEmpty, "\(count) bytes written, \(offset) more than there were")
    }
}
