/// A media type with its parameters, as in `Content-Type` and as the members of `Accept` (RFC 9110 §8.3.1).
package struct MediaType: Equatable, Sendable {
    /// Lower case, such as `image/png`.
    package let name: String
    /// Names in lower case, values unquoted.
    package let parameters: [String: String]

    /// - Returns: nil if the text is not a media type.
    package init?(parsing text: some StringProtocol) {
        guard let field = ParameterizedValue(parsing: text) else { return nil }
        let parts = field.value.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isTokenCharacter) }) else { return nil }
        name = field.value
        parameters = field.parameters
    }
}

/// Which of the media types a resource offers a client wants, from its `Accept` header (RFC 9110 §12.5.1).
package struct Acceptance {
    private let ranges: [(range: String, quality: Double)]

    /// - Parameter members: the members of the header's list over all its lines; none means that everything is welcome.
    ///   Members that are no media range are passed over.
    package init(_ members: [String]) {
        let readable = members.compactMap { member -> (range: String, quality: Double)? in
            guard let type = MediaType(parsing: member) else { return nil }
            let quality = type.parameters["q"].map { Double($0).flatMap { (0...1).contains($0) ? $0 : nil } ?? 0 } ?? 1
            return (type.name, quality)
        }
        ranges = members.isEmpty ? [("*/*", 1)] : readable
    }

    /// The best of `offers`, which are in the order the server prefers them; nil if the client wants none.
    package func best(of offers: [String]) -> String? {
        let wanted = offers.enumerated().map { (offer: $1, order: $0, quality: quality(of: $1)) }.filter { $0.quality > 0 }
        return wanted.min { $0.quality != $1.quality ? $0.quality > $1.quality : $0.order < $1.order }?.offer
    }

    /// The quality that the most specific range which covers `type` gives it.
    private func quality(of type: String) -> Double {
        let group = type.prefix { $0 != "/" } + "/*"
        for range in [type, String(group), "*/*"] {
            if let match = ranges.first(where: { $0.range == range }) { return match.quality }
        }
        return 0
    }
}
