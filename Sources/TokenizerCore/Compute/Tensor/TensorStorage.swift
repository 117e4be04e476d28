import Glibc

/// The memory behind a ``Tensor``: a 64-byte aligned run of floats that returns to a pool when the last tensor lets go of it,
/// or a read-only view of something else's memory (a mapped weight file, another tensor) that is kept alive with it.
///
/// `@unchecked Sendable`: the pointer is written only through a uniquely held ``Tensor``; shared storage is read-only.
final class TensorStorage: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let capacity: Int
    /// Whether the floats may be written when this storage is uniquely held. Borrowed memory never is.
    let isWritable: Bool
    private let owner: AnyObject?
    /// Whether the floats are a file's, and read from it again where memory has lost them.
    private let isMapped: Bool
    /// Where this memory is counted while it lives, as what was asked for: how much more the pool had at hand is chance.
    private let profile: ComputeProfile?
    private let countedBytes: Int

    /// Memory for at least `count` floats, contents undefined.
    ///
    /// - Parameter isLasting: whether this stays for long: then it is no larger than it needs to be.
    init(count: Int, isLasting: Bool) {
        (base, capacity) = BufferPool.shared.take(count, isLasting: isLasting)
        (isWritable, isMapped) = (true, false)
        owner = nil
        profile = ComputeContext.current.profile
        countedBytes = 4 * BufferPool.roundedCapacity(count)
        profile?.tookMemory(countedBytes)
    }

    /// A read-only view of `count` floats, which `owner` keeps alive.
    init(borrowing base: UnsafePointer<Float>, count: Int, owner: AnyObject, isMapped: Bool) {
        self.base = UnsafeMutablePointer(mutating: base)
        (capacity, isWritable, self.isMapped) = (count, false, isMapped)
        self.owner = owner
        (profile, countedBytes) = (nil, 0)
    }

    /// A read-only view of `count` floats of `other`.
    /// - Precondition: `other` has them.
    init(viewing other: TensorStorage, from offset: Int, count: Int) {
        precondition(offset >= 0 && offset + count <= other.capacity, "floats \(offset)..<\(offset + count) of \(other.capacity)")
        base = other.base + offset
        (capacity, isWritable, isMapped) = (count, false, other.isMapped)
        owner = other
        (profile, countedBytes) = (nil, 0)
    }

    /// No memory at all.
    static let none = TensorStorage()

    private init() {
        base = UnsafeMutablePointer(bitPattern: MemoryLayout<Float>.alignment)!
        (capacity, isWritable, isMapped, owner, profile, countedBytes) = (0, false, false, nil, nil, 0)
    }

    /// Lets the system take back the pages of a mapped file; they are read from it again when next touched.
    func releasePages() {
        guard isMapped else { return }
        let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
        let first = (UInt(bitPattern: base) + page - 1) / page * page
        let end = UInt(bitPattern: base + capacity) / page * page
        if first < end { madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_DONTNEED) }
    }

    deinit {
        profile?.gaveMemory(countedBytes)
        if isWritable { BufferPool.shared.give(base, capacity) }
    }
}
