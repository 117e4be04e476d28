/// What an index says of one picture.
struct PictureEntry: Codable, Equatable, Sendable {
    /// Its place among all pictures, counted from 0.
    let number: Int
    /// Its path below the folder, or in the archive.
    let name: String
    /// Of its file; nil where that could not be read.
    let sha256: String?
    /// The folder that it lies in, and that folder's number.
    let `class`: String?
    let label: Int?
    /// What became tokens, in pixels; nil where nothing did.
    let width, height: Int?
    /// Why nothing did.
    let problem: String?

    var isUsable: Bool { problem == nil }

    /// The number as files and samples are named.
    var key: String { Self.padded(number, 9) }

    static func padded(_ number: Int, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

/// A picture with its tokens: those of all views, one after the other.
struct TokenRow: Sendable {
    let picture: PictureEntry
    let tokens: [Int32]
}
