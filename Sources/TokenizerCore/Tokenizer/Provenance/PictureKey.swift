import Files

/// A picture by its contents: the first 16 digits of the SHA-256 of its file's bytes, or of a tar member's.
///
/// Two of a million pictures share one by chance once in forty million collections.
package struct PictureKey: Sendable, Hashable, Codable, Comparable {
    package let digits: String

    private static let length = 16

    package init(_ digest: FileDigest) {
        digits = String(digest.sha256.prefix(Self.length))
    }

    /// A stand-in for a picture whose contents are not known.
    /// - Parameter text: stands for it alone.
    package init(standingFor text: String) {
        digits = String(FileDigest.sha256(text).prefix(Self.length))
    }

    package init(from decoder: any Decoder) throws {
        digits = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(digits)
    }

    package static func < (a: PictureKey, b: PictureKey) -> Bool { a.digits < b.digits }
}
