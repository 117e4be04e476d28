extension Tensor {
    /// Images `range` of a batch `[n, …]`: a view of the same memory, which the first write to either copies.
    package func images(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "images \(range) of \(shape)")
        return Tensor(viewing: self, from: range.lowerBound * (count / max(shape[0], 1)), shape: [range.count] + shape.dropFirst())
    }

    /// Applies `compute` to at most `most` images of a batch `[n, …]` at a time, and joins what it answers.
    ///
    /// - Parameter compute: answers as many images as it gets, all of one shape.
    package func inParts(of most: Int, _ compute: (Tensor) -> Tensor) -> Tensor {
        precondition(most >= 1, "a part has at least one image, got \(most)")
        let n = shape[0]
        guard n > most else { return compute(self) }
        var joined: Tensor?
        for start in stride(from: 0, to: n, by: most) {
            let part = compute(images(start..<min(start + most, n)))
            let perImage = part.count / part.n
            var whole = joined.take() ?? Tensor(uninitialized: [n] + part.shape.dropFirst())
            whole.withMutablePointer { target in
                part.withPointer { (target + start * perImage).update(from: $0, count: part.count) }
            }
            joined = whole
        }
        return joined!
    }

    /// Tensors `[n, …]` with equal extents but the first, one after the other.
    package static func joiningImages(_ parts: [Tensor]) -> Tensor {
        let n = parts.reduce(0) { $0 + $1.n }
        var whole = Tensor(uninitialized: [n] + parts[0].shape.dropFirst())
        whole.withMutablePointer { target in
            var target = target
            for part in parts {
                precondition(part.shape.dropFirst() == parts[0].shape.dropFirst(), "\(part.shape) cannot follow \(parts[0].shape)")
                part.withPointer { target.update(from: $0, count: part.count) }
                target += part.count
            }
        }
        return whole
    }
}
