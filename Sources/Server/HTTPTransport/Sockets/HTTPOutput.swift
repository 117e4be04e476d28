/// Bytes to write, in order: pieces are kept apart, so that an answer's body is never copied to stand behind its head.
struct HTTPOutput {
    private(set) var pieces: [[UInt8]] = []
    /// How much of the first piece is written.
    private(set) var offset = 0

    var isEmpty: Bool { pieces.isEmpty }

    /// How much is still to write.
    var byteCount: Int { pieces.reduce(-offset) { $0 + $1.count } }

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

extension HTTPOutput {
    /// Writes as much of the first two pieces as the socket takes.
    func send(to socket: borrowing Socket) -> SystemCalls.Progress {
        let second = pieces.count > 1 ? pieces[1] : []
        return pieces[0].withUnsafeBytes { first in
            second.withUnsafeBytes { second in
                SystemCalls.send(socket.descriptor, UnsafeRawBufferPointer(rebasing: first[offset...]), second)
            }
        }
    }
}
