import CNghttp2

/// An answer's head as nghttp2 takes it: names in lower case, nothing that only HTTP/1 has.
struct HTTP2ResponseFields {
    private static let ownFields = [
        "content-length", "transfer-encoding", "connection", "date", "keep-alive", "proxy-connection", "upgrade",
    ]

    /// What is likely the same in the next answer. All else would only fill the table that both sides remember fields by, which nghttp2 searches
    /// one by one where names are equal: a tenth of what `/livez` costs.
    private static let repeatedFields = [":status", "date", "content-type"]

    private var text: [UInt8] = []
    private var ends: [(name: Int, value: Int, isRepeated: Bool)] = []

    /// - Parameter date: a formatted `HTTPDate`.
    init(_ response: HTTPResponse, date: String) {
        text.reserveCapacity(256)
        append(":status", String(response.status.code))
        append("date", date)
        if !response.status.forbidsBody, !response.isOpen {
            append("content-length", String(response.body.count))
        }
        for field in response.headers where !Self.ownFields.contains(where: field.name.equalsIgnoringCase) {
            append(field.name, field.value)
        }
    }

    /// An interim answer, which asks for the body.
    static var goOn: HTTP2ResponseFields { HTTP2ResponseFields(interim: "100") }

    private init(interim status: String) {
        append(":status", status)
    }

    private mutating func append(_ name: String, _ value: String) {
        let start = text.count
        text.append(contentsOf: name.utf8)
        let nameEnd = text.count
        for index in start..<nameEnd { text[index] = text[index].asciiLowercased }
        text.append(contentsOf: value.utf8)
        for index in nameEnd..<text.count where !text[index].isFieldCharacter { text[index] = .space }
        ends.append((nameEnd, text.count, Self.repeatedFields.contains(where: name.equalsIgnoringCase)))
    }

    /// - Parameter body: gets pointers that are good during the call.
    func withFields<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        var text = text
        return text.withUnsafeMutableBufferPointer { text in
            var start = 0
            let fields = ends.map { end in
                defer { start = end.value }
                return nghttp2_nv(
                    name: text.baseAddress! + start, value: text.baseAddress! + end.name, namelen: end.name - start,
                    valuelen: end.value - end.name, flags: UInt8((end.isRepeated ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX).rawValue))
            }
            return fields.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
        }
    }
}
