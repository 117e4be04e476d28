import Locks

/// What a computation took: time and work of each operation, and the most memory that its tensors held at once.
///
///     let profile = ComputeProfile()
///     ComputeContext.with(\.profile, profile) { _ = autoencoder.encoder(pixels) }
///
/// Operations are what the ``Workers`` share, by the name of the function that asked for it; what runs between them has no name.
/// Tensors count that the calling thread makes; the scratch memory of the kernels does not.
///
/// One that times pieces has the calling thread compute them one after the other, however many threads there may be: the pieces are cut as
/// for so many, and none waits for another.
package final class ComputeProfile: Sendable {
    /// The work of an operation, from which its fastest possible time follows.
    package struct Cost: Sendable, Equatable {
        /// Multiplications of the algorithm that was chosen: Winograd's are fewer than those of a direct convolution.
        package var multiplications: Int
        /// Numbers read and written, each once.
        package var floats: Int

        init(multiplications: Int = 0, floats: Int = 0) {
            (self.multiplications, self.floats) = (multiplications, floats)
        }
    }

    package struct Entry: Sendable {
        package fileprivate(set) var calls = 0
        package fileprivate(set) var duration = Duration.zero
        package fileprivate(set) var cost = Cost()
    }

    /// An operation, in the order in which they ran, and how long each of its pieces took.
    package struct Step: Sendable {
        package let operation: String
        package let pieces: [Duration]
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var steps: [Step] = []
        var liveBytes = 0
        var peakBytes = 0
    }

    private let state = Lock(State())

    /// Whether pieces are timed, one by one.
    let timesPieces: Bool

    package init(timingPieces: Bool = false) {
        timesPieces = timingPieces
    }

    /// Every operation by its name.
    package var entries: [String: Entry] { state.withLock { $0.entries } }
    /// What ran, where pieces are timed.
    package var steps: [Step] { state.withLock { $0.steps } }
    /// The most bytes of tensors that were alive at the same time.
    package var peakBytes: Int { state.withLock { $0.peakBytes } }

    func time(_ operation: StaticString, _ cost: Cost, _ work: () -> Void) {
        let start = ContinuousClock.now
        work()
        let duration = start.duration(to: .now)
        state.withLock { state in
            var entry = state.entries["\(operation)", default: Entry()]
            entry.calls += 1
            entry.duration += duration
            entry.cost.multiplications += cost.multiplications
            entry.cost.floats += cost.floats
            state.entries["\(operation)"] = entry
        }
    }

    /// Computes the pieces one after the other.
    func timePieces(_ count: Int, of operation: StaticString, _ body: (Int) -> Void) {
        let pieces = (0..<count).map { piece in
            let start = ContinuousClock.now
            body(piece)
            return start.duration(to: .now)
        }
        state.withLock { $0.steps.append(Step(operation: "\(operation)", pieces: pieces)) }
    }

    func tookMemory(_ bytes: Int) {
        state.withLock { state in
            state.liveBytes += bytes
            state.peakBytes = max(state.peakBytes, state.liveBytes)
        }
    }

    func gaveMemory(_ bytes: Int) {
        state.withLock { $0.liveBytes -= bytes }
    }
}
