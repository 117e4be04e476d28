/// A dense row-major array of 32-bit floats with value semantics (copy on write).
///
/// Feature maps are `[n, h, w, c]` (NHWC), so a pixel's channels are one contiguous row and a 1×1 convolution is a plain
/// matrix product. Weights keep the shape they have in their file.
package struct Tensor: Sendable {
    package private(set) var shape: [Int]
    private var storage: TensorStorage

    /// A tensor with undefined contents; the caller writes every element before reading any.
    ///
    /// - Parameter isLasting: whether it will be kept for long, like weights: then it takes no more memory than it needs.
    package init(uninitialized shape: [Int], isLasting: Bool = false) {
        precondition(shape.allSatisfy { $0 >= 0 }, "a tensor's extents are not negative: \(shape)")
        self.shape = shape
        storage = TensorStorage(count: shape.reduce(1, *), isLasting: isLasting)
    }

    /// A shape without numbers, which a weight file's tensor will replace. It takes no memory, and reading it is our own bug.
    package init(placeholder shape: [Int]) {
        (self.shape, storage) = (shape, .none)
    }

    package init(zeros shape: [Int]) {
        self.init(repeating: 0, shape: shape)
    }

    package init(repeating value: Float, shape: [Int]) {
        self.init(uninitialized: shape)
        storage.base.update(repeating: value, count: count)
    }

    /// - Precondition: `values.count` is the product of `shape`.
    package init(_ values: [Float], shape: [Int]) {
        self.init(uninitialized: shape)
        precondition(values.count == count, "\(values.count) values do not fill a tensor of shape \(shape)")
        values.withUnsafeBufferPointer { storage.base.update(from: $0.baseAddress!, count: count) }
    }

    /// A read-only view of floats that live in `owner`; the first write copies them.
    /// - Parameter isMapped: whether they are a file's own pages, see ``releasePages()``.
    package init(borrowing base: UnsafePointer<Float>, shape: [Int], owner: AnyObject, isMapped: Bool) {
        self.shape = shape
        storage = TensorStorage(borrowing: base, count: shape.reduce(1, *), owner: owner, isMapped: isMapped)
    }

    /// The elements of `other` from `offset` on, in its memory; the first write to either copies.
    init(viewing other: Tensor, from offset: Int, shape: [Int]) {
        self.shape = shape
        storage = TensorStorage(viewing: other.storage, from: offset, count: shape.reduce(1, *))
    }

    package var count: Int { shape.reduce(1, *) }

    /// All elements, row-major.
    package var values: [Float] { withPointer { Array(UnsafeBufferPointer(start: $0, count: count)) } }

    /// The same elements under another shape of equal count.
    package func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "shape \(self.shape) cannot be read as \(shape)")
        var view = self
        view.shape = shape
        return view
    }

    /// Says that the elements will not be read soon: where they are a view of a mapped file, its pages need not stay in memory.
    package func releasePages() { storage.releasePages() }

    /// Whose memory the elements lie in: that of another tensor until one of them is changed. It is some other tensor's once both are gone.
    package var memory: ObjectIdentifier { ObjectIdentifier(storage) }

    package func withPointer<R>(_ body: (UnsafePointer<Float>) throws -> R) rethrows -> R {
        precondition(storage.capacity >= count, "the numbers of \(shape) are read before they were loaded")
        return try withExtendedLifetime(storage) { try body(UnsafePointer(storage.base)) }
    }

    /// Writes in place when no other tensor shares the memory, on a copy otherwise.
    package mutating func withMutablePointer<R>(_ body: (UnsafeMutablePointer<Float>) throws -> R) rethrows -> R {
        makeUnique()
        return try withExtendedLifetime(storage) { try body(storage.base) }
    }

    private mutating func makeUnique() {
        guard !(storage.isWritable && isKnownUniquelyReferenced(&storage)) else { return }
        precondition(storage.capacity >= count, "the numbers of \(shape) are changed before they were loaded")
        let copy = TensorStorage(count: count, isLasting: false)
        let (target, source) = (copy.base, storage.base)
        RowPieces.forEach(rows: count, width: 1) { target.advanced(by: $0.lowerBound).update(from: source + $0.lowerBound, count: $0.count) }
        storage = copy
    }
}

extension Tensor {
    /// `shape[0]` of `[n, h, w, c]`.
    package var n: Int { shape[0] }
    /// `shape[1]` of `[n, h, w, c]`.
    package var h: Int { shape[1] }
    /// `shape[2]` of `[n, h, w, c]`.
    package var w: Int { shape[2] }
    /// The last extent: channels.
    package var c: Int { shape[shape.count - 1] }
    /// Number of rows when the tensor is read as a matrix `[rows, c]`.
    package var rows: Int { count / max(c, 1) }
}
