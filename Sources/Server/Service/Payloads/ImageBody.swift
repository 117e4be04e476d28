import HTTPTransport

/// Takes the one image file out of a request body.
struct ImageBody {
    /// The file's bytes: where they lie in the body, if it holds them as they are.
    let file: ArraySlice<UInt8>
    /// What the request calls it, such as `image/png`; nil where it says nothing.
    let declaredType: String?

    init(_ body: [UInt8], type: MediaType) throws(PayloadError) {
        switch type.name {
        case MediaType.json: self = try Self.fromJSON(body)
        case MediaType.multipart: self = try Self.fromForm(body, boundary: type.parameters["boundary"])
        default: self.init(file: body[...], declaredType: type.name)
        }
    }

    private init(file: ArraySlice<UInt8>, declaredType: String?) {
        self.file = file
        self.declaredType = declaredType
    }

    /// `{"image": "<base64>"}`
    private static func fromJSON(_ body: [UInt8]) throws(PayloadError) -> ImageBody {
        var file: [UInt8]?
        try JSONReader.readDocument(body, fields: ["image"]) { field, reader throws(PayloadError) in
            file = try reader.readBase64(field)
        }
        guard let file else { throw .invalid("the field \"image\" is missing; expected an image file in base64") }
        return ImageBody(file: file[...], declaredType: nil)
    }

    /// One part, whatever its name.
    private static func fromForm(_ body: [UInt8], boundary: String?) throws(PayloadError) -> ImageBody {
        guard let boundary else { throw .malformed("the content type multipart/form-data has no boundary") }
        let parts = try parts(of: body, boundary: boundary)
        guard parts.count == 1 else { throw .invalid("the form has \(parts.count) parts; expected exactly one, the image file") }
        let declared = parts[0].contentType.flatMap { $0.hasPrefix("image/") ? $0 : nil }
        return ImageBody(file: body[parts[0].content], declaredType: declared)
    }

    private static func parts(of body: [UInt8], boundary: String) throws(PayloadError) -> [MultipartBody.Part] {
        do throws(MultipartBody.FormatError) {
            return try MultipartBody(body, boundary: boundary).parts
        } catch {
            throw .malformed(error.description)
        }
    }
}
