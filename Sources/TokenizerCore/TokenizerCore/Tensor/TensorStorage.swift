import Glibc
import Synchronization

/// The memory behind a ``Tensor``: a 64-byte aligned run of floats that returns to a pool when the last tensor lets go of it,
/// or a read-only view of something else's memory (a mapped weight file) that is kept alive with it.
///
/// `@unchecked Sendable`: the pointer is written only through a uniquely held ``Tensor``; shared storage is read-only.
final class TensorStorage: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let capacity: Int
    /// Whether the floats may be written when this storage is uniquely held. Borrowed memory never is.
    let isWritable: Bool
    private let owner: AnyObject?
    /// Where this memory is counted while it lives.
    private let profile: ComputeProfile?

    /// Memory for at least `count` floats, contents undefined.
    init(count: Int) {
        capacity = BufferPool.roundedCapacity(count)
        base = BufferPool.shared.take(capacity)
        isWritable = true
        owner = nil
        profile = ComputeProfile.current
        profile?.tookMemory(4 * capacity)
    }

    /// A read-only view of `count` floats that `owner` keeps alive.
    init(borrowing base: UnsafePointer<Float>, count: Int, owner: AnyObject) {
        self.base = UnsafeMutablePointer(mutating: base)
        capacity = count
        isWritable = false
        self.owner = owner
        profile = nil
    }

    /// No memory at all.
    static let none = TensorStorage()

    private init() {
        base = UnsafeMutablePointer(bitPattern: MemoryLayout<Float>.alignment)!
        (capacity, isWritable, owner, profile) = (0, false, nil, nil)
    }

    /// Lets the system take back the pages of borrowed memory; they are read from their file again when next touched.
    func releasePages() {
        guard !isWritable else { return }
        let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
        let first = (UInt(bitPattern: base) + page - 1) / page * page
        let end = UInt(bitPattern: base + capacity) / page * page
        if first < end { madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_DONTNEED) }
    }

    deinit {
        profile?.gaveMemory(4 * capacity)
        if isWritable { BufferPool.shared.give(base, capacity) }
    }
}

/// Keeps freed tensor memory for the next tensor of the same size, so that steady-state work allocates nothing large.
final class BufferPool: Sendable {
    static let shared = BufferPool()

    private struct State {
        var free: [Int: [UInt]] = [:]
        var heldBytes = 0
    }

    /// Past this many idle bytes, freed buffers go back to the system.
    static let maximumHeldBytes = 2 << 30
    private static let hugePageBytes = 2 << 20
    private let state = Mutex(State())

    /// Sizes are rounded up so that tensors of nearly equal size share buffers: powers of two below 4 KiB, then 1/8 steps.
    static func roundedCapacity(_ count: Int) -> Int {
        var step = 64
        while step * 16 < count { step *= 2 }
        return max(64, (count + step - 1) / step * step)
    }

    func take(_ capacity: Int) -> UnsafeMutablePointer<Float> {
        let recycled = state.withLock { state -> UInt? in
            guard let address = state.free[capacity]?.popLast() else { return nil }
            state.heldBytes -= capacity * 4
            return address
        }
        if let recycled { return UnsafeMutablePointer(bitPattern: recycled)! }
        let bytes = capacity * MemoryLayout<Float>.stride
        let isLarge = bytes >= Self.hugePageBytes
        var memory: UnsafeMutableRawPointer?
        let failure = posix_memalign(&memory, isLarge ? Self.hugePageBytes : 64, bytes)
        precondition(failure == 0, "cannot allocate \(bytes) bytes for a tensor")
        if isLarge { madvise(memory, bytes, MADV_HUGEPAGE) }
        return memory!.bindMemory(to: Float.self, capacity: capacity)
    }

    func give(_ base: UnsafeMutablePointer<Float>, _ capacity: Int) {
        let isKept = state.withLock { state -> Bool in
            guard state.heldBytes + capacity * 4 <= Self.maximumHeldBytes else { return false }
            state.heldBytes += capacity * 4
            state.free[capacity, default: []].append(UInt(bitPattern: base))
            return true
        }
        if !isKept { free(base) }
    }
}
