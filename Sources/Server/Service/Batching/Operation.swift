/// What a request asks of the engine.
package enum Operation: String, Hashable, Sendable, CaseIterable {
    /// Image → tokens.
    case encode
    /// Tokens → image.
    case decode
    /// Image → tokens → image.
    case reconstruct
}
