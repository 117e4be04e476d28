import Files
import FoundationEssentials

/// What is known of a picture beside its tokens, or with them: `key.json` of a WebDataset archive, and a line of JSON Lines.
struct RowDocument: Codable {
    private let number: Int
    private let name: String
    private let sha256: String?
    private let `class`: String?
    private let label: Int?
    private let width, height: Int?
    private let fingerprint: String
    private let crop: Framing.Crop
    private let size: Int
    private let views: Views
    private let tokens: Nested?

    /// - Parameter hasTokens: whether they are in it.
    init(_ row: TokenRow, _ terms: TokenTerms, hasTokens: Bool = true) {
        let picture = row.picture
        (number, name, sha256, `class`, label) = (picture.number, picture.name, picture.sha256, picture.class, picture.label)
        (width, height) = (picture.width, picture.height)
        (fingerprint, crop, size, views) = (terms.fingerprint, terms.crop, terms.size, terms.views)
        tokens = hasTokens ? Nested(tokens: row.tokens, views: terms.viewsPerPicture) : nil
    }

    /// The tokens of all views in a line.
    static func tokens(in line: ArraySlice<UInt8>, _ path: String) throws(FileError) -> [Int32] {
        guard let row = try? JSONDecoder().decode(RowDocument.self, from: Data(line)), let tokens = row.tokens else {
            throw FileError(path, "has a line that is no picture's tokens: \(String(decoding: line.prefix(60), as: UTF8.self))")
        }
        return tokens.tokens
    }

    /// A list of tokens, or where there are several views a list of their lists.
    private struct Nested: Codable {
        let tokens: [Int32]
        let views: Int

        init(tokens: [Int32], views: Int) {
            (self.tokens, self.views) = (tokens, views)
        }

        func encode(to encoder: any Encoder) throws {
            guard views > 1 else { return try tokens.encode(to: encoder) }
            let perView = tokens.count / views
            try (0..<views).map { view in Array(tokens[view * perView..<(view + 1) * perView]) }.encode(to: encoder)
        }

        init(from decoder: any Decoder) throws {
            if let flat = try? [Int32](from: decoder) {
                (tokens, views) = (flat, 1)
            } else {
                let nested = try [[Int32]](from: decoder)
                (tokens, views) = (nested.flatMap { $0 }, nested.count)
            }
        }
    }
}
