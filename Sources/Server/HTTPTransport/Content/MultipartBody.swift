import Glibc

/// A `multipart/form-data` body (RFC 7578) taken apart.
package struct MultipartBody {
    package struct Part: Equatable {
        package let name: String
        /// nil for a plain form field.
        package let filename: String?
        package let contentType: String?
        /// Where its content lies in the body.
        package let content: Range<Int>
    }

    /// What is wrong with the body, in one line.
    package struct FormatError: Error, Equatable {
        package let description: String
    }

    package let parts: [Part]

    private static let maximumHeaderBytes = 4_096
    private static let newline: [UInt8] = [0x0D, 0x0A]

    /// - Parameters:
    ///   - boundary: the `boundary` parameter of the body's content type.
    ///   - maximumParts: more are refused before they are looked at.
    /// - Throws: ``FormatError`` unless the body is made of whole parts up to its closing delimiter.
    package init(_ body: [UInt8], boundary: String, atMost maximumParts: Int = 16) throws(FormatError) {
        guard (1...70).contains(boundary.utf8.count) else {
            throw FormatError(description: "the multipart boundary has \(boundary.utf8.count) characters; expected 1 to 70")
        }
        let delimiter = Array("--\(boundary)".utf8)
        var position = try Self.firstDelimiterEnd(body, delimiter)
        var parts: [Part] = []
        while !Self.isClosing(body, at: position) {
            guard parts.count < maximumParts else { throw FormatError(description: "the form has more than \(maximumParts) parts") }
            position = try Self.lineEnd(body, from: position)
            guard let end = Self.findDelimiter(delimiter, in: body, from: max(0, position - 2)) else {
                throw FormatError(description: "the multipart body ends before its closing delimiter")
            }
            parts.append(try Self.part(body, from: position, to: end))
            position = end + 2 + delimiter.count
        }
        self.parts = parts
    }

    /// A part between the line after a delimiter and the line break before the next one.
    private static func part(_ body: [UInt8], from start: Int, to end: Int) throws(FormatError) -> Part {
        var position = start
        var fields: [String: String] = [:]
        while true {
            let limit = min(end + newline.count, start + maximumHeaderBytes + newline.count)
            guard let lineEnd = body[position..<max(position, limit)].firstRange(of: newline)?.lowerBound else {
                throw FormatError(description: "a part of the form has no complete header of at most \(maximumHeaderBytes) bytes")
            }
            let line = body[position..<lineEnd]
            position = lineEnd + 2
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                let text = String(validating: line[(colon + 1)...], as: UTF8.self)
            else {
                throw FormatError(description: "a part of the form has a header line without a colon or not in UTF-8")
            }
            fields[String(decoding: line[..<colon], as: UTF8.self).lowercased()] = text
        }
        // The blank line's own break may be the one before the delimiter: then the content is empty.
        return try part(fields, content: min(position, end)..<end)
    }

    private static func part(_ fields: [String: String], content: Range<Int>) throws(FormatError) -> Part {
        guard let disposition = fields["content-disposition"].flatMap({ ParameterizedValue(parsing: $0) }),
            disposition.value == "form-data", let name = disposition.parameters["name"]
        else { throw FormatError(description: "a part of the form has no content-disposition: form-data with a name") }
        return Part(
            name: name, filename: disposition.parameters["filename"],
            contentType: fields["content-type"].flatMap { MediaType(parsing: $0)?.name }, content: content)
    }

    /// Past the delimiter that opens the first part; what precedes it is a preamble that nobody reads.
    private static func firstDelimiterEnd(_ body: [UInt8], _ delimiter: [UInt8]) throws(FormatError) -> Int {
        if body.starts(with: delimiter) { return delimiter.count }
        guard let start = findDelimiter(delimiter, in: body, from: 0) else {
            throw FormatError(description: "the multipart body does not contain its boundary")
        }
        return start + 2 + delimiter.count
    }

    private static func isClosing(_ body: [UInt8], at position: Int) -> Bool {
        body[position...].starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")])
    }

    /// Past the line break after a delimiter; blanks may stand before it.
    private static func lineEnd(_ body: [UInt8], from start: Int) throws(FormatError) -> Int {
        let blanks = body[start...].prefix { $0.isBlank }.count
        guard body[(start + blanks)...].starts(with: newline) else {
            throw FormatError(description: "a delimiter of the multipart body is not followed by a line break")
        }
        return start + blanks + 2
    }

    /// Where a line break and `delimiter`, which starts with two dashes, next stand. Linear, whatever the body is made of: the fourth byte from
    /// here tells how far the next place for them can be, and a boundary has no line break, so that no byte is compared twice.
    private static func findDelimiter(_ delimiter: [UInt8], in body: [UInt8], from start: Int) -> Int? {
        body.withUnsafeBytes { bytes in
            delimiter.withUnsafeBytes { delimiter in
                var position = start
                while position + newline.count + delimiter.count <= bytes.count {
                    switch bytes[position + 3] {
                    case UInt8(ascii: "-"):
                        if bytes[position] == .carriageReturn, bytes[position + 1] == .lineFeed,
                            memcmp(bytes.baseAddress! + position + 2, delimiter.baseAddress!, delimiter.count) == 0
                        {
                            return position
                        }
                        position += 1
                    case .lineFeed: position += 2
                    case .carriageReturn: position += 3
                    default: position += 4
                    }
                }
                return nil
            }
        }
    }
}
