import Files
import HTTPTransport
import Images
import TokenizerCore

/// How an answer is written: the one place where a media type becomes bytes.
struct AnswerForm: Sendable {
    /// One of those that the route offers.
    let type: String
    /// Of a JPEG, 1 to 100.
    let quality: Int
    let model: ServedModel

    /// The answer to one item alone.
    func body(of outcome: Outcome) -> [UInt8] {
        switch outcome.output {
        case .image(let image): body(of: image, outcome)
        case .tokens(let tokens): body(of: tokens)
        }
    }

    private func body(of image: RGBImage, _ outcome: Outcome) -> [UInt8] {
        switch type {
        case MediaType.json: JSONValue.object(model.description.merging(Self.fields(of: outcome)) { $1 }).bytes
        case MediaType.jpeg: JPEGEncoder.encode(image, quality: quality)
        case MediaType.npy: NumPyArray(bytes: image.pixels, shape: [image.height, image.width, 3]).serialized()
        default: PNGEncoder.encode(image)
        }
    }

    private func body(of tokens: Tokens) -> [UInt8] {
        let shape = tokens.count == 1 ? [tokens.tokensPerImage] : [tokens.count, tokens.tokensPerImage]
        switch type {
        case MediaType.npy: return NumPyArray(tokens.indices, shape: shape).serialized()
        case MediaType.packed:
            return PackedTokens(
                tokens.indices, tokensPerImage: tokens.tokensPerImage, codebookSize: model.facts.codebookSize, fingerprint: model.facts.fingerprint
            ).serialized()
        case MediaType.octets: return model.facts.elementType.bytes(of: tokens.indices)
        default: return TokensDocument(tokens, from: model).json.bytes
        }
    }

    // MARK: Lists

    /// Whether a list is written member by member, each with its own status; otherwise all of them are one array.
    var hasMembers: Bool { type == MediaType.json || type == MediaType.ndjson }

    /// One member of a list.
    func member(_ index: Int, _ result: Result<Outcome, Problem>, for requestID: String) -> JSONValue {
        switch result {
        case .success(let outcome): .object(Self.fields(of: outcome).merging(["index": .integer(index), "status": .integer(200)]) { $1 })
        case .failure(let problem):
            ["index": .integer(index), "status": .integer(problem.code.status), "problem": problem.document(for: requestID)]
        }
    }

    private static func fields(of outcome: Outcome) -> [String: JSONValue] {
        switch outcome.output {
        case .tokens(let tokens): return ["tokens": .integers(tokens.indices)]
        case .image(let image):
            var fields: [String: JSONValue] = ["image": .bytes(PNGEncoder.encode(image))]
            // JSON has no infinity.
            if let psnr = outcome.psnr, psnr.isFinite { fields["psnr"] = .number(psnr) }
            if let ssim = outcome.ssim { fields["ssim"] = .number(ssim) }
            return fields
        }
    }

    /// The whole list.
    func body(ofMembers members: [JSONValue]) -> [UInt8] {
        JSONValue.object(model.description.merging(["grid": TokensDocument.Grid(model.facts).json, "items": .array(members)]) { $1 }).bytes
    }

    /// All of them as one array.
    /// - Precondition: there is at least one, and all are of one kind.
    func body(ofAll outcomes: [Outcome]) -> [UInt8] {
        let tokens = outcomes.compactMap { outcome in
            if case .tokens(let tokens) = outcome.output { tokens } else { nil }
        }
        if !tokens.isEmpty { return body(of: Tokens(joining: tokens)) }
        let images = outcomes.compactMap { outcome in
            if case .image(let image) = outcome.output { image } else { nil }
        }
        return NumPyArray(bytes: images.flatMap(\.pixels), shape: [images.count, images[0].height, images[0].width, 3]).serialized()
    }
}

extension ServedModel {
    /// Who has answered.
    fileprivate var description: [String: JSONValue] {
        ["model": .string(name), "version": .integer(facts.version), "fingerprint": .string(facts.fingerprint)]
    }
}

extension ModelFacts {
    /// How tokens are stored where they come as little-endian integers.
    fileprivate var elementType: NumPyArray.ElementType { codebookSize <= 1 << 16 ? .uint16 : .uint32 }
}
