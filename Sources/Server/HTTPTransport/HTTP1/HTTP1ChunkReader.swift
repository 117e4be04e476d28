/// Takes the chunked framing off a body (RFC 9112 §7.1).
struct HTTP1ChunkReader {
    /// What comes next in the stream.
    private enum Expected {
        case sizeLine
        case data(Int)
        case dataEnd
        case trailers
    }

    private static let tooLong = HTTPError(.badRequest, "a chunk's size line is longer than \(lineBytes) bytes")
    private static let overlong = HTTPError(.badRequest, "a chunk is longer than its size says; expected CR LF after it")
    private static let lineBytes = 1024

    private var expected = Expected.sizeLine
    private var extensionBytes: Int
    private var trailers: HTTP1FieldReader

    init(limits: HTTPLimits) {
        extensionBytes = limits.headBytes
        trailers = HTTP1FieldReader(bytes: limits.headBytes, limits: limits)
    }

    /// Moves the data that has arrived to the end of `body`; trailer fields are checked and dropped.
    /// - Parameter room: how many more bytes the body may get.
    /// - Returns: whether the body is complete.
    /// - Throws: 400 if malformed, 413 if the next chunk exceeds `room`, 431 for its trailers.
    mutating func read(from input: inout InputBuffer, into body: inout [UInt8], room: Int) throws(HTTPError) -> Bool {
        var room = room
        while true {
            switch expected {
            case .sizeLine:
                guard let line = try input.line(limit: Self.lineBytes, tooLong: Self.tooLong) else { return false }
                let size = try size(line)
                guard size <= room else { throw .bodyTooLarge }
                expected = size == 0 ? .trailers : .data(size)
            case .data(let size):
                let moved = input.move(atMost: size, to: &body)
                room -= moved
                expected = moved == size ? .dataEnd : .data(size - moved)
                if moved < size { return false }
            case .dataEnd:
                guard let line = try input.line(limit: 0, tooLong: Self.overlong) else { return false }
                precondition(line.isEmpty, "a line of at most 0 bytes has \(line.count)")
                expected = .sizeLine
            case .trailers:
                return try trailers.read(from: &input)
            }
        }
    }

    /// The size of `1a;name=value`: extensions mean nothing here, and all of a body's together are limited, because they
    /// cost work without ever counting as body.
    private mutating func size(_ line: ArraySlice<UInt8>) throws(HTTPError) -> Int {
        let digits = line.prefix { $0.hexValue != nil }
        let suffix = line[digits.endIndex...]
        guard !digits.isEmpty, suffix.allSatisfy(\.isFieldCharacter),
            suffix.first(where: { !$0.isBlank }) ?? UInt8(ascii: ";") == UInt8(ascii: ";")
        else {
            throw HTTPError(.badRequest, "malformed chunk size; expected hexadecimal digits")
        }
        extensionBytes -= suffix.count
        guard extensionBytes >= 0 else {
            throw HTTPError(.badRequest, "the body's chunk extensions are larger than this server accepts")
        }
        guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw HTTPError(.badRequest, "a chunk size does not fit 63 bits")
        }
        return size
    }
}

extension HTTPError {
    static let bodyTooLarge = HTTPError(.contentTooLarge, "the body is larger than this resource accepts")
}
