import Compute
import Locks

/// The search for nearest codes of codebooks that stay the same, shared by all copies of the quantiser. Whoever changes the codebooks
/// replaces this object.
///
/// Small codebooks are scanned: that is faster than any search. Arranging larger ones for ``CodeSearch`` costs as much as scanning them
/// for a few hundred vectors, and codebooks that are trained by gradient change before they have been asked for so many. So they are
/// scanned until scanning has cost as much as arranging them would, and arranged then: that is never worse than twice the better choice.
final class SharedCodeSearch: Sendable {
    private struct State {
        var arranged: CodeSearch?
        /// What scanning has cost so far, in the units of ``Cost``.
        var spent = 0.0
    }

    /// With this many codes of 4, 8 or 16 numbers a scan of many vectors takes less than a search; with twice as many they are even.
    private static let mostScannedCodes = 2048

    private let state = Lock(State())

    /// The nearest codes, see ``CodeSearch/nearest(_:tokensPerImage:)``.
    ///
    /// - Parameter codebooks: `[codebooks, N, d]`, the same at every call.
    func nearest(_ vectors: Tensor, tokensPerImage: Int, in codebooks: Tensor) -> [Int32] {
        let isLarge = codebooks.shape[1] > Self.mostScannedCodes
        let cost = Cost.scanning(vectorsPerCodebook: vectors.count / (codebooks.shape[0] * codebooks.shape[2]))
        let search = state.withLock { state in
            state.spent += cost
            if isLarge && state.arranged == nil && state.spent >= Cost.arranging(codes: codebooks.shape[1]) { state.arranged = CodeSearch(codebooks) }
            return state.arranged
        }
        return search?.nearest(vectors, tokensPerImage: tokensPerImage)
            ?? CodeScan(codebooks).nearest(vectors, tokensPerImage: tokensPerImage)
    }

    /// Arranges the codebooks now, for a service whose first request should not wait for it.
    func prepare(_ codebooks: Tensor) {
        state.withLock { state in
            if state.arranged == nil { state.arranged = CodeSearch(codebooks) }
        }
    }

    /// Nanoseconds of one core for each code, measured with codes of four numbers; only their proportions matter.
    private enum Cost {
        static func scanning(vectorsPerCodebook vectors: Int) -> Double { 1 + 0.2 * Double(vectors) }
        static func arranging(codes: Int) -> Double { 20 * max(1, Double(codes).logarithm2) }
    }
}
