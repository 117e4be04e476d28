/// Reads the fields of a head that is larger than accepted to their end, for its framing alone: so the connection can go on behind a request
/// that is refused for them.
///
/// It keeps the few fields that framing comes from and the beginning of the line in progress, whatever the rest takes.
struct HTTP1HeadSkimmer {
    private static let framingNames = ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect"]
    /// Longer than any of their lines in good faith.
    private static let keptLineBytes = 1 << 10
    /// Lines cost work beyond their bytes. What has so many times the fields that are accepted is no mistake.
    private static let linesPerAcceptedField = 10

    private var fields: [HTTPHeaders.Field]
    private var remainingBytes: Int
    private var remainingLines: Int
    private let maximumFields: Int

    private var line: [UInt8] = []
    private var lineBytes = 0
    /// The last two bytes of the line.
    private var end: (UInt8, UInt8) = (0, 0)

    /// - Parameters:
    ///   - fields: those that have been read.
    ///   - limits: `discardBytes` is what may be thrown away.
    init(after fields: [HTTPHeaders.Field], limits: HTTPLimits) {
        self.fields = fields.filter(Self.isOfFraming)
        remainingBytes = limits.discardBytes
        remainingLines = Self.linesPerAcceptedField * limits.headerFields
        maximumFields = limits.headerFields
    }

    /// Takes what has arrived.
    /// - Returns: the framing of the body behind it, once its end is there.
    /// - Throws: 431 where the end is further than what may be thrown away, 400 where it is not certain.
    mutating func read(from input: inout InputBuffer) throws(HTTPError) -> HTTP1Framing? {
        while let piece = input.takePiece() {
            remainingBytes -= piece.count
            guard remainingBytes >= 0 else {
                throw HTTPError(.requestHeaderFieldsTooLarge, "the header fields do not end")
            }
            take(piece)
            guard end.1 == .lineFeed else { continue }
            guard end.0 == .carriageReturn else {
                throw HTTPError(.badRequest, "a line ends in LF alone; expected CR LF")
            }
            if lineBytes == 2 { return try HTTP1Framing(HTTPHeaders(fields), version: .http1_1) }
            try endLine()
        }
        return nil
    }

    private mutating func take(_ piece: ArraySlice<UInt8>) {
        line.append(contentsOf: piece.prefix(Self.keptLineBytes - line.count))
        lineBytes += piece.count
        end = (piece.dropLast().last ?? end.1, piece.last ?? end.1)
    }

    private mutating func endLine() throws(HTTPError) {
        remainingLines -= 1
        guard remainingLines >= 0 else { throw HTTPError(.requestHeaderFieldsTooLarge, "the header fields do not end") }
        if lineBytes > line.count {
            guard !Self.framingNames.contains(where: try HTTP1FieldReader.name(line[...]).equalsIgnoringCase) else {
                throw HTTPError(.badRequest, "a header field that frames the body is too long")
            }
        } else {
            let field = try HTTP1FieldReader.field(line.dropLast(2))
            if Self.isOfFraming(field) { fields.append(field) }
            guard fields.count <= maximumFields else {
                throw HTTPError(.requestHeaderFieldsTooLarge, "more than \(maximumFields) header fields")
            }
        }
        line.removeAll(keepingCapacity: true)
        lineBytes = 0
    }

    private static func isOfFraming(_ field: HTTPHeaders.Field) -> Bool {
        framingNames.contains(where: field.name.equalsIgnoringCase)
    }
}
