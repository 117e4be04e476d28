import Files
import HTTPTransport
import TokenizerCore

/// Tokens as a request brings them, not yet checked against any model.
struct ClaimedTokens: Equatable {
    /// No model has more; a longer array is refused while it is being read.
    static let maximumCount = 65_536

    enum Content: Equatable {
        case values([Int])
        /// Integers of 2 or 4 bytes: which, only the number of a model's tokens tells.
        case littleEndian([UInt8])
    }

    let content: Content
    /// Whose tokens they are said to be.
    let fingerprint: String

    /// - Parameter type: what the body is said to be; where that is no format of tokens, its first bytes tell.
    /// - Parameter fingerprint: what the request's head says.
    init(_ body: [UInt8], type: MediaType?, fingerprint: String?) throws(PayloadError) {
        let format = try Self.format(of: body, type: type)
        let (content, stated) = try Self.read(body, as: format)
        if let fingerprint, let stated, fingerprint != stated { throw .invalid("the request's fingerprint and the body's differ") }
        // Without one, a swap between /encode and /decode would turn them into a wrong picture.
        guard let known = stated ?? fingerprint else {
            throw format == MediaType.json
                ? .invalid("the field \"fingerprint\" is missing; expected the one /encode answered")
                : .invalid(
                    "the body does not say whose tokens it holds; add the Revq-Fingerprint that /encode answered, as a header or as ?fingerprint=")
        }
        (self.content, self.fingerprint) = (content, known)
    }

    private static func format(of body: [UInt8], type: MediaType?) throws(PayloadError) -> String {
        if let name = type?.name, Route.tokenFormats.contains(name) { return name }
        if body.starts(with: NumPyArray.magic) { return MediaType.npy }
        if body.starts(with: PackedTokens.magic) { return MediaType.packed }
        if body.first == UInt8(ascii: "{") { return MediaType.json }
        throw .unrecognized(expected: Route.tokenFormats)
    }

    private static func read(_ body: [UInt8], as format: String) throws(PayloadError) -> (Content, fingerprint: String?) {
        switch format {
        case MediaType.npy: return (.values(try readArray(body)), nil)
        case MediaType.packed: return try readPacked(body)
        case MediaType.octets:
            guard body.count <= 4 * maximumCount else { throw .invalid("the body has more than \(maximumCount) tokens") }
            return (.littleEndian(body), nil)
        default: return try readDocument(body)
        }
    }

    /// One image's tokens: `[tokens]`, or `[1, tokens]`.
    private static func readArray(_ body: [UInt8]) throws(PayloadError) -> [Int] {
        let array: NumPyArray
        do throws(NumPyArray.FormatError) {
            array = try NumPyArray(parsing: body)
        } catch {
            throw .malformed("\(error)")
        }
        guard array.shape.count == 1 || array.shape.count == 2 && array.shape[0] == 1 else {
            throw .invalid("the array has the shape \(array.shape); expected [tokens] or [1, tokens]")
        }
        guard array.count <= maximumCount else { throw .invalid("the array has more than \(maximumCount) values") }
        guard let values = array.integers else {
            throw .invalid("the array's type is '\(array.type.name)'; expected integers, such as '<i4'")
        }
        return values.map { Int($0) }
    }

    /// One image's tokens.
    private static func readPacked(_ body: [UInt8]) throws(PayloadError) -> (Content, fingerprint: String?) {
        let packed: PackedTokens
        do throws(PackedTokens.FormatError) {
            packed = try PackedTokens(parsing: body, maximumCount: maximumCount)
        } catch {
            throw .malformed("\(error)")
        }
        guard packed.values.count == packed.tokensPerImage else {
            throw .invalid("the body holds \(packed.values.count) tokens, \(packed.tokensPerImage) an image; expected those of one image")
        }
        return (.values(packed.values.map { Int($0) }), packed.fingerprint)
    }

    /// Every field that ``TokensDocument`` writes may occur; the tokens must.
    private static func readDocument(_ body: [UInt8]) throws(PayloadError) -> (Content, fingerprint: String?) {
        var fingerprint: String?
        var tokens: [Int]?
        let fields = ["model", "version", "fingerprint", "grid", "tokens"]
        try JSONReader.readDocument(body, fields: fields) { field, reader throws(PayloadError) in
            switch field {
            case "fingerprint": fingerprint = try reader.readString(field)
            case "tokens": tokens = try reader.readIntegers(field, atMost: maximumCount)
            case "version": _ = try reader.readInteger(field)
            case "grid": try readGrid(&reader)
            default: _ = try reader.readString(field)
            }
        }
        guard let tokens else { throw .invalid("the field \"tokens\" is missing; expected an array of integers") }
        return (.values(tokens), fingerprint)
    }

    private static func readGrid(_ reader: inout JSONReader) throws(PayloadError) {
        let fields = TokensDocument.Grid.Field.allCases.map(\.rawValue)
        try reader.readObject(fields, named: "grid") { field, reader throws(PayloadError) in
            if field == "latent" {
                _ = try reader.readIntegers("grid.latent", atMost: 3)
            } else {
                _ = try reader.readInteger("grid.\(field)")
            }
        }
    }

    /// The tokens as `model` takes them.
    /// - Throws: ``PayloadError`` naming the first that is out of range, or how many are expected.
    func checked(for facts: ModelFacts) throws(PayloadError) -> Tokens {
        let values = try values(for: facts)
        guard values.count == facts.tokensPerImage else {
            throw .tokenCount("there are \(values.count) tokens; the model has \(facts.tokensPerImage) per image")
        }
        if let index = values.firstIndex(where: { !(0..<facts.codebookSize).contains($0) }) {
            throw .tokenRange("tokens[\(index)] is \(values[index]); the model's tokens are 0 … \(facts.codebookSize - 1)")
        }
        return Tokens(ofOneImage: values.map { Int32($0) })
    }

    private func values(for facts: ModelFacts) throws(PayloadError) -> [Int] {
        switch content {
        case .values(let values): return values
        case .littleEndian(let bytes):
            let count = facts.tokensPerImage
            guard bytes.count == 2 * count || bytes.count == 4 * count else {
                throw .tokenCount("there are \(bytes.count) bytes; the model's \(count) tokens take \(2 * count) or \(4 * count)")
            }
            let width = bytes.count / count
            return (0..<count).map { index in
                (0..<width).reduce(0) { $0 | Int(bytes[index * width + $1]) << (8 * $1) }
            }
        }
    }
}
