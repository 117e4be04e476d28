import Synchronization

/// The arrangement of codebooks for searching, made when first needed and shared by all copies of the quantiser. Whoever changes the
/// codebooks replaces this object.
final class SharedCodeSearch: Sendable {
    private let state = Mutex<CodeSearch?>(nil)

    /// - Parameter codebooks: `[codebooks, N, d]`, the same at every call.
    func over(_ codebooks: Tensor) -> CodeSearch {
        state.withLock { search in
            if search == nil { search = CodeSearch(codebooks) }
            return search!
        }
    }
}
