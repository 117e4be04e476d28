import HTTPTransport

/// Takes the image files out of a request body: one, or several as a list.
struct ImageBody {
    /// Where the bytes of each lie in the body, if it holds them as they are; or why it is none.
    let files: [Result<ArraySlice<UInt8>, PayloadError>]
    /// Whether the answer is to a list, which may have a single member.
    let isList: Bool
    /// The model that the body names; nil where it names none.
    let model: String?

    /// - Parameters:
    ///   - type: what the body is said to be. Only forms and JSON are taken apart; anything else is the file itself.
    ///   - limit: of a list.
    init(_ body: [UInt8], type: MediaType?, listLimit limit: Int) throws(PayloadError) {
        switch type?.name {
        case MediaType.json: self = try Self.fromJSON(body, limit)
        case MediaType.multipart: self = try Self.fromForm(body, boundary: type?.parameters["boundary"], limit)
        default: self.init(files: [.success(body[...])], isList: false, model: nil)
        }
    }

    private init(files: [Result<ArraySlice<UInt8>, PayloadError>], isList: Bool, model: String?) {
        (self.files, self.isList, self.model) = (files, isList, model)
    }

    /// `{"image": "<base64>", "model": "…"}`, or `{"images": ["<base64>", …], "model": "…"}`
    private static func fromJSON(_ body: [UInt8], _ limit: Int) throws(PayloadError) -> ImageBody {
        var file: [UInt8]?
        var list: [Result<[UInt8], PayloadError>]?
        var model: String?
        try JSONReader.readDocument(body, fields: ["image", "images", "model"]) { field, reader throws(PayloadError) in
            switch field {
            case "image": file = try reader.readBase64(field)
            case "images":
                list = try reader.readArray(field, of: "strings", atMost: limit) { name, reader throws(PayloadError) in
                    try reader.readBase64(inListAs: name)
                }
            default: model = try reader.readString(field)
            }
        }
        guard file == nil || list == nil else { throw .invalid("there are both \"image\" and \"images\"; expected one of them") }
        guard list?.isEmpty != true else { throw .invalid("images is empty; expected at least one image file in base64") }
        if let list { return ImageBody(files: list.map { $0.map { $0[...] } }, isList: true, model: model) }
        guard let file else { throw .invalid("the field \"image\" is missing; expected an image file in base64, or a list of them as \"images\"") }
        return ImageBody(files: [.success(file[...])], isList: false, model: model)
    }

    /// Files, whatever their names, of which several are a list; and perhaps a field `model`.
    private static func fromForm(_ body: [UInt8], boundary: String?, _ limit: Int) throws(PayloadError) -> ImageBody {
        guard let boundary else { throw .malformed("the content type multipart/form-data has no boundary") }
        let parts = try parts(of: body, boundary: boundary, atMost: max(limit, mostFields) + 2)
        let isModel = { (part: MultipartBody.Part) in part.name == "model" && part.filename == nil }
        let (models, files) = (parts.filter(isModel), parts.filter { !isModel($0) })
        guard files.count <= limit else { throw .tooMany("the form has more than \(limit) files") }
        guard !files.isEmpty, models.count <= 1 else {
            throw .invalid("the form has \(files.count) files and \(models.count) fields \"model\"; expected image files and at most one model")
        }
        let model = models.first.map { String(decoding: body[$0.content], as: UTF8.self) }
        return ImageBody(files: files.map { .success(body[$0.content]) }, isList: files.count > 1, model: model)
    }

    /// Of a form, where a list has fewer: whoever sends more has mistaken something else.
    private static let mostFields = 16

    private static func parts(of body: [UInt8], boundary: String, atMost limit: Int) throws(PayloadError) -> [MultipartBody.Part] {
        do throws(MultipartBody.FormatError) {
            return try MultipartBody(body, boundary: boundary, atMost: limit).parts
        } catch {
            throw .malformed(error.description)
        }
    }
}
