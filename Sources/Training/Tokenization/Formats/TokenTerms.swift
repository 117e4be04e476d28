import Files
import Pictures

/// What a folder of tokens holds, as its `metadata.json` says: the same whichever jobs filled it.
struct TokenTerms: Codable, Equatable, Sendable {
    let format: TokenFormat
    /// What LlamaGen's two folders are called.
    let name: String?
    /// How tokens are stored, in NumPy's words; nil in text.
    let dtype: String?
    let fingerprint, model: String
    let codebookSize: Int
    /// Nil where it differs from picture to picture.
    let tokensPerView: Int?
    let size: Int
    let crop: Framing.Crop
    let views: Views
    let viewsPerPicture: Int
    let picturesPerFile: Int
    /// How many there are, those that could not be used among them, and a number that changes with their names and sizes.
    let pictures: Int
    let picturesSignature: String
    /// A label is the place of its class among these.
    let classes: [String]

    enum CodingKeys: String, CodingKey {
        case format, name, dtype, fingerprint, model, size, crop, views, pictures, classes
        case codebookSize = "codebook_size"
        case tokensPerView = "tokens_per_view"
        case viewsPerPicture = "views_per_picture"
        case picturesPerFile = "pictures_per_file"
        case picturesSignature = "pictures_signature"
    }

    init(_ encoder: PictureEncoder, _ source: ImageSource, _ labels: ClassLabels, _ format: TokenFormat, name: String?, picturesPerFile: Int) {
        (self.format, self.name, self.picturesPerFile) = (format, name, picturesPerFile)
        (fingerprint, model, codebookSize) = (encoder.checkpoint.fingerprint, encoder.checkpoint.name, encoder.codebookSize)
        dtype = format.dtype(codebookSize: codebookSize)
        tokensPerView = encoder.tokensPerView
        (size, crop, views) = (encoder.framing.size, encoder.framing.crop, encoder.framing.views)
        viewsPerPicture = views.count
        (pictures, picturesSignature) = (source.count, String(source.signature, radix: 16))
        classes = labels.names
    }

    /// The number of files, or of groups of them, that tokens are written to as a whole.
    var parts: Int { (pictures + picturesPerFile - 1) / picturesPerFile }

    /// The pictures of a part.
    func range(of part: Int) -> Range<Int> { part * picturesPerFile..<min((part + 1) * picturesPerFile, pictures) }

    /// Where `found` is something else that cannot become this, in words; pictures may come, go and change.
    func difference(from found: TokenTerms) -> String? {
        let compared: [(name: String, here: String, there: String)] = [
            ("fingerprint", fingerprint, found.fingerprint), ("format", format.rawValue, found.format.rawValue),
            ("name", name ?? "none", found.name ?? "none"), ("size", "\(size)", "\(found.size)"), ("crop", crop.rawValue, found.crop.rawValue),
            ("views", views.rawValue, found.views.rawValue), ("pictures per file", "\(picturesPerFile)", "\(found.picturesPerFile)"),
        ]
        return compared.first { $0.here != $0.there }.map { "\($0.name) = \($0.there), not \($0.here)" }
    }
}
