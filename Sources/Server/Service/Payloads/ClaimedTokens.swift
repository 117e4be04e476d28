import Files
import HTTPTransport
import TokenizerCore

/// Tokens as a request brings them, those of one image or of several, not yet checked against any model.
struct ClaimedTokens: Equatable {
    /// Of one image: no model has more; a longer array is refused while it is being read.
    static let maximumCount = 65_536

    enum Content: Equatable {
        case values([Int])
        /// Of several images, each with why it has none where it has not.
        case list([Result<[Int], PayloadError>])
        /// Integers of 2 or 4 bytes: which, only the number of a model's tokens tells.
        case littleEndian([UInt8])
    }

    let content: Content
    /// Whose tokens they are said to be.
    let fingerprint: String
    /// Of the pictures that they are said to stand for; nil for the model's own.
    let size: PictureSize?

    /// - Parameters:
    ///   - type: what the body is said to be; where that is no format of tokens, its first bytes tell.
    ///   - fingerprint: what the request's head says.
    ///   - size: what the request's head says.
    ///   - limit: of images.
    init(
        _ body: [UInt8], type: MediaType?, fingerprint: String?, size: PictureSize? = nil, listLimit limit: Int = 1
    ) throws(PayloadError) {
        let format = try Self.format(of: body, type: type)
        let (content, stated, drawn) = try Self.read(body, as: format, limit)
        if let fingerprint, let stated, fingerprint != stated { throw .invalid("the request's fingerprint and the body's differ") }
        if let size, let drawn, size != drawn {
            throw .invalid("the request's size is \(size.words), the grid's in the body \(drawn.words)")
        }
        // Without one, a swap between /encode and /decode would turn them into a wrong picture.
        guard let known = stated ?? fingerprint else {
            throw format == MediaType.json
                ? .invalid("the field \"fingerprint\" is missing; expected the one /encode answered")
                : .invalid(
                    "the body does not say whose tokens it holds; add the Revq-Fingerprint that /encode answered, as a header or as ?fingerprint=")
        }
        (self.content, self.fingerprint, self.size) = (content, known, size ?? drawn)
    }

    private static func format(of body: [UInt8], type: MediaType?) throws(PayloadError) -> String {
        if let name = type?.name, Route.tokenFormats.contains(name) { return name }
        if body.starts(with: NumPyArray.magic) { return MediaType.npy }
        if body.starts(with: PackedTokens.magic) { return MediaType.packed }
        if body.first == UInt8(ascii: "{") { return MediaType.json }
        throw .unrecognized(expected: Route.tokenFormats)
    }

    private static func read(
        _ body: [UInt8], as format: String, _ limit: Int
    ) throws(PayloadError) -> (Content, fingerprint: String?, size: PictureSize?) {
        switch format {
        case MediaType.npy: return (try readArray(body, limit), nil, nil)
        case MediaType.packed:
            let (content, fingerprint) = try readPacked(body, limit)
            return (content, fingerprint, nil)
        case MediaType.octets:
            guard body.count <= 4 * maximumCount else { throw .invalid("the body has more than \(maximumCount) tokens") }
            return (.littleEndian(body), nil, nil)
        default: return try ClaimedDocument(body, listLimit: limit).claim
        }
    }

    /// `[tokens]` or `[1, tokens]` of one image, `[images, tokens]` of several.
    private static func readArray(_ body: [UInt8], _ limit: Int) throws(PayloadError) -> Content {
        let array: NumPyArray
        do throws(NumPyArray.FormatError) {
            array = try NumPyArray(parsing: body)
        } catch {
            throw .malformed("\(error)")
        }
        guard (1...2).contains(array.shape.count), let count = array.shape.last, count <= maximumCount else {
            throw .invalid("the array has the shape \(array.shape); expected [tokens] or [images, tokens], at most \(maximumCount) tokens an image")
        }
        let images = array.shape.count == 2 ? array.shape[0] : 1
        try check(images, atMost: limit)
        guard let values = array.integers else {
            throw .invalid("the array's type is '\(array.type.name)'; expected integers, such as '<i4'")
        }
        return content(of: values.map { Int($0) }, images: images, each: count)
    }

    private static func readPacked(_ body: [UInt8], _ limit: Int) throws(PayloadError) -> (Content, fingerprint: String?) {
        let packed: PackedTokens
        do throws(PackedTokens.FormatError) {
            packed = try PackedTokens(parsing: body, maximumCount: maximumCount * limit)
        } catch {
            throw .malformed("\(error)")
        }
        let images = packed.tokensPerImage == 0 ? 0 : packed.values.count / packed.tokensPerImage
        try check(images, atMost: limit)
        return (content(of: packed.values.map { Int($0) }, images: images, each: packed.tokensPerImage), packed.fingerprint)
    }

    private static func check(_ images: Int, atMost limit: Int) throws(PayloadError) {
        guard images > 0 else { throw .invalid("there are tokens of no image; expected those of at least one") }
        guard images <= limit else { throw .tooMany("there are tokens of \(images) images; at most \(limit) are taken at once") }
    }

    private static func content(of values: [Int], images: Int, each count: Int) -> Content {
        images == 1 ? .values(values) : .list((0..<images).map { .success(Array(values[$0 * count..<($0 + 1) * count])) })
    }

    /// Whether the answer is to a list.
    var isList: Bool {
        if case .list = content { true } else { false }
    }

    /// The tokens of each image as `facts`' model takes them, or why it does not.
    func images(for facts: ModelFacts) -> [Result<Tokens, PayloadError>] {
        guard case .list(let members) = content else { return [Result { () throws(PayloadError) in try checked(for: facts) }] }
        return members.map { member in
            member.flatMap { values in Result { () throws(PayloadError) in try Self.check(values, for: facts) } }
        }
    }

    /// The tokens of the one image as `facts`' model takes them.
    /// - Throws: ``PayloadError`` naming the first that is out of range, or how many are expected.
    func checked(for facts: ModelFacts) throws(PayloadError) -> Tokens {
        try Self.check(try values(for: facts), for: facts)
    }

    static func check(_ values: [Int], for facts: ModelFacts) throws(PayloadError) -> Tokens {
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
        case .list(let members): return try members[0].get()
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
