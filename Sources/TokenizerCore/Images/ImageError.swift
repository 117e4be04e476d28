/// Why bytes did not become a picture.
///
/// The associated text says in one line what was found and what was expected.
public enum ImageError: Error, Equatable, Sendable {
    case empty
    /// Neither PNG nor JPEG, or a kind of them that is not decoded.
    case unsupportedFormat(String)
    case truncated(String)
    case corrupt(String)
    case tooLarge(String)
    case outOfMemory(String)
    /// Whoever asked for the picture wanted no more of it.
    case stopped

    /// A name that stays the same between releases, for problem reports and counters.
    public var code: String {
        switch self {
        case .empty: "image_empty"
        case .unsupportedFormat: "image_format_unsupported"
        case .truncated: "image_truncated"
        case .corrupt: "image_corrupt"
        case .tooLarge: "image_too_large"
        case .outOfMemory: "image_out_of_memory"
        case .stopped: "image_stopped"
        }
    }
}

extension ImageError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "the image is empty: expected the bytes of a PNG or JPEG file"
        case .stopped: "the image was given up before it was decoded"
        case .unsupportedFormat(let text), .truncated(let text), .corrupt(let text), .tooLarge(let text), .outOfMemory(let text): text
        }
    }
}
