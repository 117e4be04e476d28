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
    /// A chunk of this size pays for its own framing.
    private static let fullChunkBytes = 256

    private var expected = Expected.sizeLine
    private var smallChunks: Int
    private var extensionBytes: Int
    private var trailers: HTTP1FieldReader

    init(limits: HTTPLimits) {
        smallChunks = limits.smallChunks
        extensionBytes = limits.headBytes
        trailers = HTTP1FieldReader(bytes: limits.headBytes, limits: limits)
    }

    /// How much of the chunk whose size is known has not arrived.
    var announcedBytes: Int {
        if case .data(let size) = expected { size } else { 0 }
    }

    /// Moves the data that has arrived to the end of `body`; trailer fields are checked and dropped.
    /// - Parameter maximumBytes: how large the body may get.
    /// - Returns: whether the body is complete.
    /// - Throws: 400 if malformed or in too many pieces, 413 if the next chunk makes it too large, 431 for its trailers.
    mutating func read(from input: inout InputBuffer, into body: inout BodyBytes, maximumBytes: Int) throws(HTTPError) -> Bool {
        while true {
            switch expected {
            case .sizeLine:
                guard let line = try input.line(limit: Self.lineBytes, tooLong: Self.tooLong) else { return false }
                let size = try size(line)
                expected = size == 0 ? .trailers : .data(size)
                guard size <= maximumBytes - body.count else { throw .bodyTooLarge }
            case .data(let size):
                let moved = body.take(atMost: size, from: &input)
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
        var size = 0
        var end = line.startIndex
        while end < line.endIndex, let digit = line[end].hexValue {
            guard size < 1 << 59 else { throw HTTPError(.badRequest, "a chunk size does not fit 63 bits") }
            size = size << 4 | Int(digit)
            end += 1
        }
        guard end > line.startIndex else { throw Self.malformed }
        if end < line.endIndex { try checkExtension(line[end...]) }
        try count(size)
        return size
    }

    private static let malformed = HTTPError(.badRequest, "malformed chunk size; expected hexadecimal digits")

    private mutating func checkExtension(_ text: ArraySlice<UInt8>) throws(HTTPError) {
        guard text.allSatisfy(\.isFieldCharacter), text.first(where: { !$0.isBlank }) ?? UInt8(ascii: ";") == UInt8(ascii: ";")
        else { throw Self.malformed }
        extensionBytes -= text.count
        guard extensionBytes >= 0 else {
            throw HTTPError(.badRequest, "the body's chunk extensions are larger than this server accepts")
        }
    }

    /// Small chunks cost as much work as large ones: a body has a number of them to spare, however large it is.
    private mutating func count(_ size: Int) throws(HTTPError) {
        guard size > 0, size < Self.fullChunkBytes else { return }
        smallChunks -= 1
        guard smallChunks >= 0 else {
            throw HTTPError(.badRequest, "the body has too many chunks of less than \(Self.fullChunkBytes) bytes")
        }
    }
}
