import HTTPTransport

/// The JSON that `/decode` takes: every field that `/encode` answers may occur, of one image or of several.
struct ClaimedDocument {
    private var fingerprint: String?
    private var size: PictureSize?
    private var tokens: (lists: [[Int]], isNested: Bool)?
    private var items: [Result<[Int], PayloadError>]?

    init(_ body: [UInt8], listLimit limit: Int) throws(PayloadError) {
        let fields = ["model", "version", "fingerprint", "grid", "tokens", "items"]
        try JSONReader.readDocument(body, fields: fields) { field, reader throws(PayloadError) in
            switch field {
            case "fingerprint": fingerprint = try reader.readString(field)
            case "tokens": tokens = try reader.readIntegerLists(field, atMost: ClaimedTokens.maximumCount, lists: limit)
            case "items":
                items = try reader.readArray(field, of: "objects", atMost: limit) { name, reader throws(PayloadError) in
                    try Self.readItem(name, &reader)
                }
            case "version": _ = try reader.readInteger(field)
            case "grid": size = try Self.readSize(&reader)
            default: _ = try reader.readString(field)
            }
        }
    }

    /// - Throws: where there are no tokens, or two kinds of them.
    var claim: (ClaimedTokens.Content, fingerprint: String?, size: PictureSize?) {
        get throws(PayloadError) {
            guard tokens == nil || items == nil else { throw .invalid("there are both \"tokens\" and \"items\"; expected one of them") }
            if let tokens, !tokens.isNested { return (.values(tokens.lists[0]), fingerprint, size) }
            guard let list = items ?? tokens?.lists.map({ .success($0) }) else {
                throw .invalid("the field \"tokens\" is missing; expected an array of integers, or of arrays of them")
            }
            guard !list.isEmpty else { throw .invalid("items is empty; expected the tokens of at least one image") }
            return (.list(list), fingerprint, size)
        }
    }

    /// One image of a list: its tokens, or why it has none.
    private static func readItem(_ name: String, _ reader: inout JSONReader) throws(PayloadError) -> Result<[Int], PayloadError> {
        var tokens: [Int]?
        try reader.readObject(["index", "status", "tokens", "problem"], named: name) { field, reader throws(PayloadError) in
            switch field {
            case "tokens": tokens = try reader.readIntegers("\(name).tokens", atMost: ClaimedTokens.maximumCount)
            case "problem":
                try reader.readObject(Problem.fields, named: "\(name).problem") { field, reader throws(PayloadError) in
                    _ = try reader.readText(field)
                }
            default: _ = try reader.readInteger("\(name).\(field)")
            }
        }
        return tokens.map { .success($0) } ?? .failure(.invalid("\(name) has no tokens"))
    }

    /// Of what a grid says, the size of the picture decides; nil where it says none.
    private static func readSize(_ reader: inout JSONReader) throws(PayloadError) -> PictureSize? {
        typealias Field = TokensDocument.Grid.Field
        var sides: [Field: Int] = [:]
        try reader.readObject(Field.allCases.map(\.rawValue), named: "grid") { name, reader throws(PayloadError) in
            if name == Field.latent.rawValue {
                _ = try reader.readIntegers("grid.latent", atMost: 3)
            } else {
                let number = try reader.readInteger("grid.\(name)")
                if let field = Field(rawValue: name) { sides[field] = number }
            }
        }
        guard let height = sides[.height] ?? sides[.imageSize], let width = sides[.width] ?? sides[.imageSize] else { return nil }
        guard let size = PictureSize(height: height, width: width) else {
            throw .invalid("the grid is of \(height)x\(width) pixels, which no picture has")
        }
        return size
    }
}
