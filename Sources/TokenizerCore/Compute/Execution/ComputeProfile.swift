import Locks

/// What a computation took: time and work of each operation, and the most memory that its tensors held at once.
///
///     let profile = ComputeProfile()
///     ComputeContext.with(\.profile, profile) { _ = autoencoder.encoder(pixels) }
///
/// Operations are what the ``Workers`` share, by the name of the function that asked for it; what runs between them has no name.
/// Tensors count that the calling thread makes; the scratch memory of the kernels does not.
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

    private struct State {
        var entries: [String: Entry] = [:]
        var liveBytes = 0
        var peakBytes = 0
    }

    private let state = Lock(State())

    package init() {}

    /// Every operation by its name.
    package var entries: [String: Entry] { state.withLock { $0.entries } }
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
