/// Writes an answer's head as HTTP/1.1 wants it.
enum HTTP1ResponseEncoder {
    /// The interim answer that asks for the body.
    static let continueAnswer = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

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
        head.append(contentsOf: "HTTP/1.1 \(response.status)\r\nDate: \(date)\r\n".utf8)
        if !response.status.forbidsBody {
            head.append(contentsOf: "Content-Length: \(response.body.count)\r\n".utf8)
        }
        if !keepsAlive {
            head.append(contentsOf: "Connection: close\r\n".utf8)
        } else if request?.version == .http1_0 {
            head.append(contentsOf: "Connection: keep-alive\r\n".utf8)
        }
        for field in response.headers where !ownFields.contains(where: field.name.equalsIgnoringCase) {
            append(field, to: &head)
        }
        head.append(contentsOf: "\r\n".utf8)
        let sendsBody = !response.status.forbidsBody && request?.method != .head
        return (head, sendsBody ? response.body : [])
    }

    /// - Precondition: the name is a token; it is always our own.
    private static func append(_ field: HTTPHeaders.Field, to head: inout [UInt8]) {
        precondition(
            !field.name.isEmpty && field.name.utf8.allSatisfy(HTTP1Grammar.isTokenCharacter),
            "\(field.name) cannot be the name of a header field")
        head.append(contentsOf: field.name.utf8)
        head.append(contentsOf: ": ".utf8)
        head.append(contentsOf: field.value.utf8.lazy.map { HTTP1Grammar.isFieldCharacter($0) ? $0 : .space })
        head.append(contentsOf: "\r\n".utf8)
    }
}
