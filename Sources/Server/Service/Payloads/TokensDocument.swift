import TokenizerCore

/// The JSON that `/encode` answers and `/decode` takes.
struct TokensDocument {
    /// Where the tokens belong; for the reader's information, since the fingerprint decides.
    struct Grid {
        /// Of the image, in pixels: `image_size` is its side, of what is no square the shorter one, beside `height` and `width`.
        let size: PictureSize
        /// `[C, H, W]`.
        let latent: [Int]
        /// How many tokens an image has.
        let tokens: Int
        /// Tokens are in `0 ..< codebookSize`.
        let codebookSize: Int

        init(_ facts: ModelFacts) {
            size = facts.size
            latent = facts.latentShape
            tokens = facts.tokensPerImage
            codebookSize = facts.codebookSize
        }

        /// The fields' names.
        enum Field: String, CaseIterable {
            case imageSize = "image_size"
            case height, width, latent, tokens
            case codebookSize = "codebook_size"
        }

        var json: JSONValue {
            .object(Dictionary(uniqueKeysWithValues: Field.allCases.compactMap { field in value(of: field).map { (field.rawValue, $0) } }))
        }

        private func value(of field: Field) -> JSONValue? {
            switch field {
            case .imageSize: .integer(min(size.height, size.width))
            case .height: size.isSquare ? nil : .integer(size.height)
            case .width: size.isSquare ? nil : .integer(size.width)
            case .latent: .array(latent.map(JSONValue.integer))
            case .tokens: .integer(tokens)
            case .codebookSize: .integer(codebookSize)
            }
        }
    }

    let model: String
    let version: Int
    let fingerprint: String
    let grid: Grid
    let tokens: [Int32]

    /// - Parameter tokens: those of one image.
    init(_ tokens: Tokens, from model: ServedModel) {
        self.model = model.name
        version = model.facts.version
        fingerprint = model.facts.fingerprint
        grid = Grid(model.facts)
        self.tokens = tokens.indices
    }

    var json: JSONValue {
        [
            "model": .string(model), "version": .integer(version), "fingerprint": .string(fingerprint), "grid": grid.json,
            "tokens": .integers(tokens),
        ]
    }
}
