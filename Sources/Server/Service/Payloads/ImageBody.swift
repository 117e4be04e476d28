import HTTPTransport

/// Takes the one image file out of a request body.
struct ImageBody {
    /// The file's bytes: where they lie in the body, if it holds them as they are.
    let file: ArraySlice<UInt8>
    /// The model that the body names; nil where it names none.
    let model: String?

    /// - Parameter type: what the body is said to be. Only forms and JSON are taken apart; anything else is the file itself.
    init(_ body: [UInt8], type: MediaType?) throws(PayloadError) {
        switch type?.name {
        case MediaType.json: self = try Self.fromJSON(body)
        case MediaType.multipart: self = try Self.fromForm(body, boundary: type?.parameters["boundary"])
        default: self.init(file: body[...], model: nil)
        }
    }

    private init(file: ArraySlice<UInt8>, model: String?) {
        (self.file, self.model) = (file, model)
    }

    /// `{"image": "<base64>", "model": "…"}`
    private static func fromJSON(_ body: [UInt8]) throws(PayloadError) -> ImageBody {
        var file: [UInt8]?
        var model: String?
        try JSONReader.readDocument(body, fields: ["image", "model"]) { field, reader throws(PayloadError) in
            if field == "image" { file = try reader.readBase64(field) } else { model = try reader.readString(field) }
        }
        guard let file else { throw .invalid("the field \"image\" is missing; expected an image file in base64") }
        return ImageBody(file: file[...], model: model)
    }

    /// One file, whatever its name, and perhaps a field `model`.
    private static func fromForm(_ body: [UInt8], boundary: String?) throws(PayloadError) -> ImageBody {
        guard let boundary else { throw .malformed("the content type multipart/form-data has no boundary") }
        let parts = try parts(of: body, boundary: boundary)
        let isModel = { (part: MultipartBody.Part) in part.name == "model" && part.filename == nil }
        let (models, files) = (parts.filter(isModel), parts.filter { !isModel($0) })
        guard files.count == 1, models.count <= 1 else {
            throw .invalid(
                "the form has \(files.count) files and \(models.count) fields \"model\"; expected exactly one image file and at most one model")
        }
        let model = models.first.map { String(decoding: body[$0.content], as: UTF8.self) }
        return ImageBody(file: body[files[0].content], model: model)
    }

    private static func parts(of body: [UInt8], boundary: String) throws(PayloadError) -> [MultipartBody.Part] {
        do throws(MultipartBody.FormatError) {
            return try MultipartBody(body, boundary: boundary).parts
        } catch {
            throw .malformed(error.description)
        }
    }
}
