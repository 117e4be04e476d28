import Compute

/// One stage by itself, and what it has to quantise.
extension GroupQuantizer {
    /// A quantiser of one stage's codes, for what the stages before it leave.
    package func alone(_ stage: Int) -> GroupQuantizer {
        guard layout.stages > 1 else { return self }
        return GroupQuantizer(layout.ofOneStage, shape: shape, transform: transform, codebooks: codebooks.images(layout.codebooks(ofStage: stage)))
    }

    /// Changes the codes of one stage as those of a quantiser of its own.
    package mutating func change(_ stage: Int, _ body: (inout GroupQuantizer) -> Void) {
        // In place: codebooks may be half of what the memory holds.
        guard layout.stages > 1 else { return body(&self) }
        var alone = alone(stage)
        body(&alone)
        let first = layout.codebooks(ofStage: stage).lowerBound * layout.codes * layout.dimension
        withPointers(writing: &codebooks, reading: alone.codebooks) { [count = alone.codebooks.count] all, own in
            (all + first).update(from: own, count: count)
        }
    }

    /// What the first stages leave of vectors, to the bit what the next one gets when these become tokens.
    /// - Parameter vectors: `[n, G·d]`.
    package func left(of vectors: Tensor, afterStages stages: Int) -> Tensor {
        var left = vectors
        for stage in 0..<stages { left.subtract(codes(nearest(left, ofStage: stage), ofStages: stage..<stage + 1)) }
        return left
    }
}
