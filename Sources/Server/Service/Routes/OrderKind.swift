/// An order as a path names it; what it needs besides is in the query.
enum OrderKind: String, Sendable, CaseIterable {
    case reload, rollback, promote, pin, unpin, load, unload

    /// - Parameter version: the query parameter.
    /// - Throws: where it is missing.
    func order(version: String?) throws(Problem) -> ModelOrder {
        switch self {
        case .reload: return .reload
        case .rollback: return .rollback
        case .promote: return .promote
        case .unpin: return .unpin
        case .load: return .load(version: version)
        case .unload: return .unload(version: version)
        case .pin:
            guard let version else { throw Problem(.malformedQuery, "which version? pin needs the query parameter \"version\"") }
            return .pin(version: version)
        }
    }
}
