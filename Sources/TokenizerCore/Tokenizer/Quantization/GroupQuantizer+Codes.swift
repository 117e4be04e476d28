import Compute

/// From tokens back to vectors, and what each stage had before it.
extension GroupQuantizer {
    /// The vectors that `tokens` stand for, their stages' codes added up in order: `[n, G·d]`.
    /// - Precondition: every token is in `0 ..< N`.
    package func codes(_ tokens: Tokens) -> Tensor {
        let (each, groups, stages, d) = (codesOfEach(tokens), layout.groups, layout.stages, layout.dimension)
        guard stages > 1 else { return each }
        var sum = Tensor(uninitialized: [tokens.count, groups * d])
        withPointers(writing: &sum, reading: each) { sum, each in
            RowPieces.forEach(rows: tokens.count, width: stages * groups * d) { images in
                for image in images {
                    let (target, source) = (sum + image * groups * d, each + image * stages * groups * d)
                    target.update(from: source, count: groups * d)
                    for stage in 1..<stages {
                        for j in 0..<groups * d { target[j] += source[stage * groups * d + j] }
                    }
                }
            }
        }
        return sum
    }

    /// The codes that `tokens` name: `[n, T·d]`.
    /// - Precondition: every token is in `0 ..< N`.
    package func codesOfEach(_ tokens: Tokens) -> Tensor { codes(tokens.indices, ofStages: 0..<layout.stages) }

    /// The codes that the tokens of some stages name: `[n, stages·G·d]`.
    /// - Parameter indices: of these stages alone, image after image, every one in `0 ..< N`.
    func codes(_ indices: [Int32], ofStages stages: Range<Int>) -> Tensor {
        let (dimension, codes, perImage) = (layout.dimension, layout.codes, stages.count * layout.groups)
        let first = (0..<perImage).map { layout.codebook(ofToken: stages.lowerBound * layout.groups + $0) * codes }
        let count = indices.count / perImage
        var result = Tensor(uninitialized: [count, perImage * dimension])
        withPointers(writing: &result, reading: codebooks) { target, codebooks in
            RowPieces.forEach(rows: count, width: perImage * dimension) { images in
                for image in images {
                    for token in 0..<perImage {
                        let position = image * perImage + token
                        let index = Int(indices[position])
                        precondition(index >= 0 && index < codes, "token \(index) is not one of \(codes) codes")
                        let (code, place) = (codebooks + (first[token] + index) * dimension, target + position * dimension)
                        for j in 0..<dimension { place[j] = code[j] }
                    }
                }
            }
        }
        return result
    }

    /// What is left for each token's stage to quantise once the stages before it have chosen these tokens: `[n, T·d]`. The first stage has the
    /// vectors themselves.
    /// - Parameters:
    ///   - vectors: `[n, G·d]`.
    ///   - tokens: theirs; not asked for where there is one stage.
    package func remainders(of vectors: Tensor, along tokens: @autoclosure () -> Tokens) -> Tensor {
        let (stages, width) = (layout.stages, layout.groups * layout.dimension)
        guard stages > 1 else { return vectors }
        let tokens = tokens()
        var result = Tensor(uninitialized: [tokens.count, stages * width])
        withPointers(writing: &result, reading: vectors, codesOfEach(tokens)) { result, vectors, codes in
            RowPieces.forEach(rows: tokens.count, width: stages * width) { images in
                for image in images {
                    let (target, codes) = (result + image * stages * width, codes + image * stages * width)
                    target.update(from: vectors + image * width, count: width)
                    for j in width..<stages * width { target[j] = target[j - width] - codes[j - width] }
                }
            }
        }
        return result
    }

    /// The nearest codes where the stages before may have chosen others than the nearest.
    /// - Parameter remainders: as ``remainders(of:along:)`` makes them, `[n, T·d]`.
    func tokens(ofRemainders remainders: Tensor) -> Tokens {
        let ofStages = remainders.reshaped([remainders.n * layout.stages, layout.groups * layout.dimension])
        return Tokens(
            tokensPerImage: layout.tokens,
            indices: (0..<ofStages.n).flatMap { nearest(ofStages.images($0..<$0 + 1), ofStage: $0 % layout.stages) })
    }

    /// The same numbers for each stage: `[n, T·d]` of `[n, G·d]`.
    package func repeatedForStages(_ rows: Tensor) -> Tensor {
        let (stages, width) = (layout.stages, rows.c)
        guard stages > 1 else { return rows }
        var result = Tensor(uninitialized: [rows.n, stages * width])
        withPointers(writing: &result, reading: rows) { target, source in
            for row in 0..<rows.n {
                for stage in 0..<stages { (target + (row * stages + stage) * width).update(from: source + row * width, count: width) }
            }
        }
        return result
    }
}
