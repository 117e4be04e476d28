import HTTPTransport

/// The JSON that `/info` answers: what is done to a picture, in which forms things come and go, what is refused by its size, what is served.
struct InfoDocument {
    private let models: ModelsDocument
    private let limits: TokenizerService.Limits

    init(_ registry: ModelRegistry, _ limits: TokenizerService.Limits) {
        (models, self.limits) = (ModelsDocument(registry, limits.sizes), limits)
    }

    var json: JSONValue { ["models": models.list, "preprocessing": Self.preprocessing, "formats": Self.formats, "limits": sizes] }

    private static let formats: JSONValue = [
        "images": names([MediaType.jpeg, MediaType.png]), "tokens": names(Route.tokenFormats), "pictures": names(Route.pictureFormats),
        "lists": names(Route.listFormats),
    ]

    /// What is refused beyond them.
    private var sizes: JSONValue {
        [
            "image_body_bytes": .integer(limits.imageBodyBytes), "token_body_bytes": .integer(limits.tokenBodyBytes),
            "image_side": .integer(limits.images.maxSide), "image_pixels": .integer(limits.images.maxPixels),
            "size_pixels": .integer(limits.sizePixels),
            "list_items": .integer(min(limits.listItems, limits.batching.maxQueue)), "requests_in_progress": .integer(limits.batching.maxQueue),
            "timeout_ms": .integer(Int(limits.answerWithin / .milliseconds(1))),
        ]
    }

    /// What `SquarePreprocessor` and the decoders do, in this order.
    private static let preprocessing: JSONValue = [
        "orientation": "EXIF's is applied", "transparency": "shown over white", "depth": "rounded to 8 bits",
        "color": "taken for sRGB; embedded profiles are not applied", "resize": "shorter side to image_size, antialiased bilinear (Pillow's)",
        "crop": "centre square", "range": "-1 to 1: byte / 127.5 - 1",
    ]

    private static func names(_ types: [String]) -> JSONValue { .array(types.map(JSONValue.string)) }
}
