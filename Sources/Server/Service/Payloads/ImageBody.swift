import HTTPTransport

/// Takes the one image file out of a request body.
struct ImageBody {
    /// The file's bytes.
    let file: [UInt8]
    /// What the request calls it, such as `image/png`; nil where it says nothing.
    let declaredType: String?

    init(_ body: [UInt8], type: MediaType) throws(PayloadError) {
        switch type.name {
        case MediaType.json: self = try Self.fromJSON(body)
        case MediaType.multipart: self = try Self.fromForm(body, boundary: type.parameters["boundary"])
        default: self.init(file: body, declaredType: type.name)
        }
    }

    private init(file: [UInt8], declaredType: String?) {
        self.file = file
        self.declaredType = declaredType
    }

    /// `{"image": "<base64>"}`
    private static func fromJSON(_ body: [UInt8]) throws(PayloadError) -> ImageBody {
        var file: [UInt8]?
        try JSONReader.readDocument(body, fields: ["image"]) { field, reader throws(PayloadError) in
            file = try Base64.decode(try reader.readStringBytes(field))
        }
        guard let file else { throw .invalid("the field \"image\" is missing; expected an image file in base64") }
        return ImageBody(file: file, declaredType: nil)
    }

    /// One part, whatever its name.
    private static func fromForm(_ body: [UInt8], boundary: String?) throws(PayloadError) -> ImageBody {
        guard let boundary else { throw .malformed("the content type multipart/form-data has no boundary") }
        let parts = try parts(of: body, boundary: boundary)
        guard parts.count == 1 else { throw .invalid("the form has \(parts.count) parts; expected exactly one, the image file") }
        let declared = parts[0].contentType.flatMap { $0.hasPrefix("image/") ? $0 : nil }
        return ImageBody(file: Array(body[parts[0].content]), declaredType: declared)
    }

    private static func parts(of body: [UInt8], boundary: String) throws(PayloadError) -> [MultipartBody.Part] {
        do throws(MultipartBody.FormatError) {
            return try MultipartBody(body, boundary: boundary).parts
        } catch {
            throw .malformed(error.description)
        }
    }
}

/// Base64 (RFC 4648 §4), strictly: the standard alphabet, full padding, no white space, unused bits zero.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let invalid: UInt8 = 0xFF
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// - Throws: ``PayloadError/invalid(_:)`` naming the first character that does not belong.
    static func decode(_ text: [UInt8]) throws(PayloadError) -> [UInt8] {
        guard text.count % 4 == 0 else {
            throw .invalid("base64 text has \(text.count) characters; expected a multiple of 4, with \"=\" padding")
        }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        for index in 0..<text.count - padding {
            let value = values[Int(text[index])]
            guard value != invalid else { throw .invalid("base64 text has a character outside the alphabet at \(index)") }
            bits = bits << 6 | UInt32(value)
            if index % 4 != 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> (6 - 2 * (UInt32(index) % 4)))) }
        }
        guard padding == 0 || bits & (padding == 1 ? 0b11 : 0b1111) == 0 else {
            throw .invalid("base64 text ends in bits that belong to no byte")
        }
        return bytes
    }
}
