import HTTPTransport

/// The JSON that `/info` answers: what is done to a picture, in which forms things come and go, what is refused by its size, what is served.
struct InfoDocument {
    private let models: ModelsDocument
    private let limits: TokenizerService.Limits

    init(_ registry: ModelRegistry, _ limits: TokenizerService.Limits) {
        (models, self.limits) = (ModelsDocument(registry), limits)
    }

    var json: JSONValue {
        guard case .object(var fields) = models.json else { preconditionFailure("the models are an object") }
        fields["preprocessing"] = Self.preprocessing
        fields["formats"] = [
            "images": Self.names([MediaType.jpeg, MediaType.png]), "tokens": Self.names(Route.tokenFormats),
            "pictures": Self.names(Route.pictureFormats),
        ]
        fields["limits"] = [
            "image_body_bytes": .integer(limits.imageBodyBytes), "token_body_bytes": .integer(limits.tokenBodyBytes),
            "image_side": .integer(limits.images.maxSide), "image_pixels": .integer(limits.images.maxPixels),
            "requests_in_progress": .integer(limits.batching.maxQueue), "timeout_ms": .integer(Int(limits.answerWithin / .milliseconds(1))),
        ]
        return .object(fields)
    }

    /// What `SquarePreprocessor` and the decoders do, in this order.
    private static let preprocessing: JSONValue = [
        "orientation": "EXIF's is applied", "transparency": "shown over white", "depth": "rounded to 8 bits",
        "color": "taken for sRGB; embedded profiles are not applied", "resize": "shorter side to image_size, antialiased bilinear (Pillow's)",
        "crop": "centre square", "range": "-1 to 1: byte / 127.5 - 1",
    ]

    private static func names(_ types: [String]) -> JSONValue { .array(types.map(JSONValue.string)) }
}
