import CNghttp2

@testable import HTTPTransport

/// One frame, as a client writes it that need not keep to any rule (RFC 9113 §4).
struct HTTP2Frame: Equatable {
    enum Kind: UInt8 {
        case data = 0
        case headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
        case unknown = 0xEE
    }

    var kind: Kind
    var flags: UInt8 = 0
    var stream: Int32 = 0
    var payload: [UInt8] = []

    static let endStream: UInt8 = 1
    static let ack: UInt8 = 1
    static let endHeaders: UInt8 = 4
    static let padded: UInt8 = 8

    static let preface = HTTP2Upgrade.preface + HTTP2Frame.settings().bytes

    var bytes: [UInt8] {
        [UInt8(payload.count >> 16 & 0xFF), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF), kind.rawValue, flags]
            + Self.number(UInt32(stream)) + payload
    }

    /// The frames that `bytes` begin with, which are taken from them.
    static func read(from bytes: inout [UInt8]) -> [HTTP2Frame] {
        var frames: [HTTP2Frame] = []
        while bytes.count >= 9 {
            let length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
            guard bytes.count >= 9 + length else { break }
            let stream = bytes[5..<9].reduce(0) { $0 << 8 | Int32($1) }
            frames.append(
                HTTP2Frame(kind: Kind(rawValue: bytes[3]) ?? .unknown, flags: bytes[4], stream: stream, payload: Array(bytes[9..<9 + length])))
            bytes.removeFirst(9 + length)
        }
        return frames
    }

    static func settings(_ entries: [(UInt8, UInt32)] = []) -> HTTP2Frame {
        HTTP2Frame(kind: .settings, payload: entries.flatMap { [0, $0.0] + number($0.1) })
    }

    static let settingsAck = HTTP2Frame(kind: .settings, flags: ack)
    static let ping = HTTP2Frame(kind: .ping, payload: [UInt8](repeating: 7, count: 8))

    /// A whole head in one frame.
    static func head(_ stream: Int32, _ fields: [(String, String)], ends: Bool = true) -> HTTP2Frame {
        HTTP2Frame(kind: .headers, flags: endHeaders | (ends ? endStream : 0), stream: stream, payload: block(fields))
    }

    static func get(_ stream: Int32, _ path: String = "/", _ more: [(String, String)] = []) -> HTTP2Frame {
        head(stream, request("GET", path) + more)
    }

    static func post(_ stream: Int32, _ path: String = "/", _ more: [(String, String)] = []) -> HTTP2Frame {
        head(stream, request("POST", path) + more, ends: false)
    }

    static func request(_ method: String, _ path: String) -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")]
    }

    static func data(_ stream: Int32, _ payload: [UInt8], ends: Bool = false) -> HTTP2Frame {
        HTTP2Frame(kind: .data, flags: ends ? endStream : 0, stream: stream, payload: payload)
    }

    static func reset(_ stream: Int32, _ code: UInt32 = 8) -> HTTP2Frame {
        HTTP2Frame(kind: .resetStream, stream: stream, payload: number(code))
    }

    static func windowUpdate(_ stream: Int32, _ increment: UInt32) -> HTTP2Frame {
        HTTP2Frame(kind: .windowUpdate, stream: stream, payload: number(increment))
    }

    /// Fields as literals that nobody remembers (RFC 7541 §6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + text($0.0) + text($0.1) }
    }

    private static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var (length, rest): ([UInt8], Int) = ([127], bytes.count - 127)
        while rest >= 128 {
            length.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    static func number(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// The 32-bit number at an offset of the payload.
    func number(at offset: Int = 0) -> UInt32 {
        payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// Reads heads that the server has compressed.
final class HTTP2Inflater {
    private let inflater: OpaquePointer

    init() {
        var inflater: OpaquePointer?
        guard nghttp2_hd_inflate_new(&inflater) == 0, let inflater else { preconditionFailure("no memory") }
        self.inflater = inflater
    }

    deinit {
        nghttp2_hd_inflate_del(inflater)
    }

    /// - Returns: `nil` for a block that is not well-formed.
    func fields(_ block: [UInt8]) -> HTTPHeaders? {
        var headers = HTTPHeaders()
        var rest = block[...]
        while true {
            var (field, flags) = (nghttp2_nv(), CInt(0))
            let count = Array(rest).withUnsafeBufferPointer { nghttp2_hd_inflate_hd2(inflater, &field, &flags, $0.baseAddress, $0.count, 1) }
            guard count >= 0 else { return nil }
            rest = rest.dropFirst(count)
            if UInt32(flags) & NGHTTP2_HD_INFLATE_EMIT.rawValue != 0 {
                let name = String(decoding: UnsafeBufferPointer(start: field.name, count: field.namelen), as: UTF8.self)
                headers.add(name: name, value: String(decoding: UnsafeBufferPointer(start: field.value, count: field.valuelen), as: UTF8.self))
            }
            if UInt32(flags) & NGHTTP2_HD_INFLATE_FINAL.rawValue != 0 {
                nghttp2_hd_inflate_end_headers(inflater)
                return headers
            }
        }
    }
}

/// What a server says, read.
struct HTTP2Reading {
    private(set) var frames: [HTTP2Frame] = []
    /// By their streams, as far as they have come.
    private(set) var answers: [Int32: HTTPResponse] = [:]
    /// Streams whose answers are whole.
    private(set) var finished: Set<Int32> = []
    private var bytes: [UInt8] = []
    private let inflater = HTTP2Inflater()

    mutating func read(_ more: [UInt8]) {
        bytes += more
        for frame in HTTP2Frame.read(from: &bytes) {
            frames.append(frame)
            if frame.kind == .headers, let fields = inflater.fields(frame.payload), let code = fields[":status"].flatMap({ Int($0) }) {
                var fields = fields
                fields[":status"] = nil
                answers[frame.stream] = HTTPResponse(status: HTTPStatus(code), headers: fields)
            }
            if frame.kind == .data { answers[frame.stream]?.body += frame.payload }
            if frame.kind == .data || frame.kind == .headers, frame.flags & HTTP2Frame.endStream != 0 { finished.insert(frame.stream) }
        }
    }

    func all(_ kind: HTTP2Frame.Kind) -> [HTTP2Frame] { frames.filter { $0.kind == kind } }

    /// The code that a stream was reset with.
    func reset(_ stream: Int32) -> UInt32? {
        all(.resetStream).last { $0.stream == stream }?.number()
    }

    /// The code that the connection was ended with.
    var goAway: UInt32? { all(.goAway).last?.number(at: 4) }

    /// How much more of a body may be sent on a stream, or with 0 on all together, by what the server has said.
    func window(_ stream: Int32) -> Int {
        let announced: [Int] = all(.settings).flatMap { (frame: HTTP2Frame) -> [Int] in
            stride(from: 0, to: frame.payload.count, by: 6).filter { frame.payload[$0 + 1] == 4 }.map { Int(frame.number(at: $0 + 2)) }
        }
        let updates = all(.windowUpdate).filter { $0.stream == stream }.map { Int($0.number()) }
        return (stream == 0 ? 65_535 : announced.last ?? 65_535) + updates.reduce(0, +)
    }
}
