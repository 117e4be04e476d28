/// A media type with its parameters, as in `Content-Type` and as the members of `Accept` (RFC 9110 §8.3.1).
struct MediaType: Equatable {
    static let json = "application/json"
    static let multipart = "multipart/form-data"
    static let npy = "application/x-npy"
    static let problem = "application/problem+json"
    static let jpeg = "image/jpeg"
    static let png = "image/png"

    /// Lower case, such as `image/png`.
    let name: String
    /// Names in lower case, values unquoted.
    let parameters: [String: String]

    /// - Returns: nil if the text is not a media type.
    init?(parsing text: some StringProtocol) {
        guard let field = ParameterizedValue(parsing: text) else { return nil }
        let parts = field.value.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(ParameterizedValue.isTokenCharacter) }) else {
            return nil
        }
        name = field.value
        parameters = field.parameters
    }
}
