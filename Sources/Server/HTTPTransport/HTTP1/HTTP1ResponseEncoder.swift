/// Writes an answer's head as HTTP/1.1 wants it.
enum HTTP1ResponseEncoder {
    /// The interim answer that asks for the body.
    static let continueAnswer = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// What stands before the bytes of a chunk, behind them, and behind all of them.
    static func chunkHead(_ count: Int) -> [UInt8] { Array("\(String(count, radix: 16))\r\n".utf8) }
    static let chunkEnd = Array("\r\n".utf8)
    static let lastChunk = Array("0\r\n\r\n".utf8)

    private static let ownFields = ["Content-Length", "Transfer-Encoding", "Connection", "Date"]

    /// - Parameters:
    ///   - request: the head it answers; `nil` where none was understood.
    ///   - keepsAlive: whether the connection serves another request.
    ///   - date: a formatted `HTTPDate`.
    /// - Returns: the head, and the body that follows it on the wire.
    static func encode(_ response: HTTPResponse, to request: HTTPRequestHead?, keepsAlive: Bool, date: String)
        -> (head: [UInt8], body: [UInt8])
    {
        var head: [UInt8] = []
        head.reserveCapacity(256)
        head.append("HTTP/1.1 ")
        head.append(decimal: response.status.code)
        head.append(" ")
        head.append(response.status.reason)
        head.append("\r\nDate: ")
        head.append(date)
        if response.isOpen {
            // HTTP/1.0 knows no chunks: there the end of the connection is the end of the answer.
            if request?.version != .http1_0 { head.append("\r\nTransfer-Encoding: chunked") }
        } else if !response.status.forbidsBody {
            head.append("\r\nContent-Length: ")
            head.append(decimal: response.body.count)
        }
        if !keepsAlive {
            head.append("\r\nConnection: close")
        } else if request?.version == .http1_0 {
            head.append("\r\nConnection: keep-alive")
        }
        head.append("\r\n")
        for field in response.headers where !ownFields.contains(where: field.name.equalsIgnoringCase) {
            append(field, to: &head)
        }
        head.append("\r\n")
        let sendsBody = !response.status.forbidsBody && request?.method != .head
        return (head, sendsBody ? response.body : [])
    }

    /// - Precondition: the name is a token; it is always our own.
    private static func append(_ field: HTTPHeaders.Field, to head: inout [UInt8]) {
        precondition(
            !field.name.isEmpty && field.name.utf8.allSatisfy(\.isTokenCharacter),
            "\(field.name) cannot be the name of a header field")
        head.append(field.name)
        head.append(": ")
        let start = head.count
        head.append(field.value)
        for index in start..<head.count where !head[index].isFieldCharacter {
            head[index] = .space
        }
        head.append("\r\n")
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ text: String) {
        append(contentsOf: text.utf8)
    }

    /// Writes a number that is not negative, without the string that would be thrown away.
    fileprivate mutating func append(decimal number: Int) {
        let start = count
        var rest = number
        repeat {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }
}
