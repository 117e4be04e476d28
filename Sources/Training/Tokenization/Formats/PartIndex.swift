import Files

/// What a part holds: `index-00000.json` beside its files.
struct PartIndex: Codable, Equatable, Sendable {
    let part: Int
    let fingerprint: String
    /// Of the part's files, one after the other in the order of the pictures: for a part in one file, of that file.
    let contents: FileDigest
    /// All pictures of the part, in order.
    let pictures: [PictureEntry]

    var usable: [PictureEntry] { pictures.filter(\.isUsable) }
}
