import Compute
import Networks
import Ranks
import TokenizerCore

/// What a quantiser makes of a batch: the nearest code of every vector. Loss, gradient and the use of the codes all follow from it.
struct Assignment {
    /// What was compared with the codes, and what the codes nearest to it add up to, `[n, G·d]` both.
    let vectors, codes: Tensor
    let tokens: Tokens
    private let quantizer: GroupQuantizer
    private var layout: GroupQuantizer.Layout { quantizer.layout }
    /// See ``GroupQuantizer/importance``.
    private let importance: [Float]?

    /// How far vectors are from their codes.
    struct Errors {
        /// The weighted squared error that each token leaves, `[n·T]`.
        let perToken: [Float]
        /// The mean weighted squared difference: what tokens are chosen to make small.
        let mean: Double
    }

    /// - Parameter latents: normalised.
    init(of latents: Latents, by quantizer: GroupQuantizer, ranks: RankGroup = .alone) {
        self.init(ofVectors: quantizer.vectors(latents), by: quantizer, ranks: ranks)
    }

    /// - Parameters:
    ///   - vectors: `[n, G·d]`.
    ///   - ranks: who looks for the codes together; all of them get the same.
    init(ofVectors vectors: Tensor, by quantizer: GroupQuantizer, ranks: RankGroup = .alone) {
        (self.vectors, self.quantizer) = (vectors, quantizer)
        tokens = quantizer.tokens(ofVectors: vectors, sharedBy: ranks)
        codes = quantizer.codes(tokens)
        importance = quantizer.importance
    }

    /// Both kinds of error from one walk over the differences.
    func errors() -> Errors {
        let (d, perImage, last) = (layout.dimension, layout.tokens, layout.tokens(ofStage: layout.stages - 1))
        var perToken = [Float](repeating: 0, count: tokens.indices.count)
        var sum = 0.0
        let each = layout.stages == 1 ? codes : quantizer.codesOfEach(tokens)
        let left = quantizer.remainders(of: vectors, along: tokens)
        withPointers(reading: each, left) { codes, vectors in
            for position in perToken.indices {
                let weight = importance?[position % perImage] ?? 1
                // What the last stage leaves is the error of all.
                let counts = last.contains(position % perImage)
                var squares: Float = 0
                for i in position * d..<(position + 1) * d {
                    let difference = codes[i] - vectors[i]
                    squares += difference * difference
                    if counts { sum += Double(weight) * Double(difference) * Double(difference) }
                }
                perToken[position] = squares * weight
            }
        }
        return Errors(perToken: perToken, mean: sum / Double(max(codes.count, 1)))
    }

    /// d(``Errors/mean``)/d(the code of each token), `[n, T·d]`.
    var gradient: Tensor {
        let (d, perImage, count) = (layout.dimension, layout.groups, codes.count)
        var gradient = Tensor(uninitialized: codes.shape)
        withPointers(writing: &gradient, reading: codes, vectors) { gradient, codes, vectors in
            RowPieces.forEach(rows: count / d, width: d) { positions in
                for position in positions {
                    let weight = importance?[position % perImage] ?? 1
                    for i in position * d..<(position + 1) * d { gradient[i] = 2 * (codes[i] - vectors[i]) / Float(count) * weight }
                }
            }
        }
        return quantizer.repeatedForStages(gradient)
    }
}
