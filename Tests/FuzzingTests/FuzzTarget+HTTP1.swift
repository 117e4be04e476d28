@testable import HTTPTransport

extension FuzzTarget {
    private static let longestTaken = 4096

    /// What a client says means the same in whatever pieces it arrives.
    ///
    /// The first byte is how many pieces precede the rest, each of the next ones how long one is.
    static func runHTTP1(_ bytes: [UInt8]) {
        guard let count = bytes.first, bytes.count <= longestTaken else { return }
        let lengths = bytes.dropFirst().prefix(Int(count % 16))
        var rest = bytes.dropFirst(1 + lengths.count)
        let stream = Array(rest)
        // No bytes are no piece: a socket that has nothing to read is not asked.
        guard !stream.isEmpty else { return }
        let pieces = lengths.map { length in
            defer { rest = rest.dropFirst(Int(length)) }
            return Array(rest.prefix(Int(length)))
        }
        let said = (pieces + [Array(rest)]).filter { !$0.isEmpty }
        let whole = transcript([stream])
        precondition(transcript(said) == whole, "the pieces say something else than the whole")
        precondition(transcript(stream.map { [$0] }) == whole, "the single bytes say something else than the whole")
        // The lengths are the pauses' too, from none to far longer than any limit.
        let pauses = (lengths + [0]).map { Duration.milliseconds(Int($0) * Int($0) * Int($0)) }
        precondition(
            Transcript.ends(feeding: said, pauses: pauses, shutsDown: count >= 128, limits: limits, maximumBodyBytes: 256),
            "a silent client's connection does not end")
    }

    private static func transcript(_ pieces: [[UInt8]]) -> Transcript {
        Transcript(feeding: pieces, limits: limits, maximumBodyBytes: 256)
    }

    private static let limits: HTTPLimits = {
        var limits = HTTPLimits()
        (limits.requestLineBytes, limits.headBytes, limits.headerFields, limits.lingerBytes) = (128, 512, 8, 1 << 20)
        return limits
    }()
}
