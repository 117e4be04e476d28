import Networks

extension GroupQuantizer {
    /// The extents of a quantiser, checked.
    package struct Layout: Sendable, Hashable {
        /// T: tokens per image, of all stages.
        package let tokens: Int
        /// N: codes per codebook.
        package let codes: Int
        /// d: numbers per token.
        package let dimension: Int
        /// How many codebooks there are in all stages together: in each G (one per position), 1 (one for all), or any divisor of G between (the
        /// number of latent channels gives one per channel). Token t uses codebook `t · codebooks / T`.
        package let codebooks: Int
        /// How elements become vectors; nil for the paper's strips of equally weighted latents, which need no transform.
        package let grouping: Grouping?
        /// How many codes are added up for each vector.
        package let stages: Int

        /// - Parameters:
        ///   - tokens: of all stages.
        ///   - codebooks: of all stages.
        /// - Throws: what is impossible about the numbers.
        package init(
            tokens: Int, codes: Int, latents: Int, codebooks: Int, grouping: Grouping? = nil, stages: Int = 1
        ) throws(LayoutError) {
            guard (1...Self.mostStages).contains(stages) else {
                throw LayoutError(description: "a quantiser has 1 to \(Self.mostStages) stages, not \(stages)")
            }
            guard tokens % stages == 0 else { throw LayoutError(description: "\(stages) stages do not divide \(tokens) tokens") }
            let groups = tokens / stages
            guard groups >= 1, latents % groups == 0 else {
                let which = stages == 1 ? "" : " of a stage"
                throw LayoutError(description: "\(groups) tokens\(which) do not divide \(latents) latent values")
            }
            guard (1...1 << 20).contains(codes) else { throw LayoutError(description: "a codebook has 1 to 1,048,576 codes, not \(codes)") }
            guard codebooks >= 1, tokens % codebooks == 0 else {
                throw LayoutError(description: "\(codebooks) codebooks do not divide \(tokens) tokens")
            }
            guard codebooks % stages == 0 else { throw LayoutError(description: "\(stages) stages do not divide \(codebooks) codebooks") }
            guard codebooks * codes <= Self.maximumNumbers / (latents / groups) else {
                throw LayoutError(
                    description: "\(codebooks) codebooks of \(codes) codes of \(latents / groups) numbers are more than \(Self.maximumNumbers)")
            }
            (self.tokens, self.codes, self.codebooks, self.grouping, self.stages) = (tokens, codes, codebooks, grouping, stages)
            dimension = latents / groups
        }

        /// What is impossible about a layout that was read from a file, if anything.
        /// - Precondition: `shape` is possible.
        package func problem(for shape: LatentShape) -> String? {
            do throws(LayoutError) {
                let layout = try Layout(
                    tokens: tokens, codes: codes, latents: shape.count, codebooks: codebooks, grouping: grouping, stages: stages)
                if layout != self { return "a token has \(layout.dimension) numbers, not \(dimension)" }
                return grouping?.problem(for: shape, d: dimension)
            } catch {
                return error.description
            }
        }

        /// The paper's largest has 2²⁹; beyond 2³⁰ (4 GiB) a layout is a mistake or an attack.
        private static let maximumNumbers = 1 << 30
        /// More than anybody has had a use for.
        private static let mostStages = 64

        /// G: vectors per image, the tokens of each stage.
        package var groups: Int { tokens / stages }
        package var codebooksPerStage: Int { codebooks / stages }

        /// Bits that one image's tokens take.
        package var bits: Double { Double(tokens) * Double(codes).logarithm2 }

        /// One spelling for each layout, for hashing.
        var canonicalName: String {
            let extents = "\(tokens)×\(codes)×\(dimension)/\(codebooks)"
            return extents + (grouping.map { " " + $0.name } ?? "") + (stages == 1 ? "" : " in \(stages) stages")
        }

        func codebook(ofToken token: Int) -> Int { token * codebooks / tokens }

        package func codebooks(ofStage stage: Int) -> Range<Int> { stage * codebooksPerStage..<(stage + 1) * codebooksPerStage }

        /// That of a quantiser that has one stage's codebooks alone.
        var ofOneStage: Layout { Layout(ofOneStageOf: self) }

        private init(ofOneStageOf layout: Layout) {
            (tokens, codes, dimension) = (layout.groups, layout.codes, layout.dimension)
            (codebooks, grouping, stages) = (layout.codebooksPerStage, layout.grouping, 1)
        }

        /// The positions of a stage's tokens among an image's.
        package func tokens(ofStage stage: Int) -> Range<Int> { stage * groups..<(stage + 1) * groups }
    }

    /// Why a layout is impossible, in one line.
    package struct LayoutError: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }
}

/// Files that say no number of stages are of one, and those of one say none: they are what they were before there were stages.
extension GroupQuantizer.Layout: Codable {
    private enum Key: String, CodingKey {
        case tokens, codes, dimension, codebooks, grouping, stages
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        tokens = try values.decode(Int.self, forKey: .tokens)
        codes = try values.decode(Int.self, forKey: .codes)
        dimension = try values.decode(Int.self, forKey: .dimension)
        codebooks = try values.decode(Int.self, forKey: .codebooks)
        grouping = try values.decodeIfPresent(Grouping.self, forKey: .grouping)
        stages = try values.decodeIfPresent(Int.self, forKey: .stages) ?? 1
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(tokens, forKey: .tokens)
        try values.encode(codes, forKey: .codes)
        try values.encode(dimension, forKey: .dimension)
        try values.encode(codebooks, forKey: .codebooks)
        try values.encodeIfPresent(grouping, forKey: .grouping)
        if stages != 1 { try values.encode(stages, forKey: .stages) }
    }
}
