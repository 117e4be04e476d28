import Compute
import Ranks
import TokenizerCore

extension GroupQuantizer {
    /// The nearest codes, of which each rank looks for its share; all have all of them then.
    /// - Parameter vectors: `[n, G·d]`, the same everywhere.
    func tokens(ofVectors vectors: Tensor, sharedBy ranks: RankGroup) -> Tokens {
        guard ranks.count > 1 else { return tokens(ofVectors: vectors) }
        let (own, perImage) = (ranks.share(of: vectors.n), layout.tokens)
        var indices = [Int32](repeating: 0, count: vectors.n * perImage)
        if !own.isEmpty {
            indices.replaceSubrange(own.lowerBound * perImage..<own.upperBound * perImage, with: tokens(ofVectors: vectors.images(own)).indices)
        }
        indices.withUnsafeMutableBufferPointer { ranks.complete($0, sharedBy: vectors.n) }
        return Tokens(tokensPerImage: perImage, indices: indices)
    }
}
