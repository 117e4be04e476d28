import Files
import HTTPTransport
import TokenizerCore

/// Tokens as a request brings them, not yet checked against any model.
struct ClaimedTokens: Equatable {
    /// No model has more; a longer array is refused while it is being read.
    static let maximumCount = 65_536

    let values: [Int]
    /// Whose tokens they are said to be.
    let fingerprint: String

    /// - Parameter type: `application/json` or `application/x-npy`.
    /// - Parameter fingerprint: what the request's head says.
    init(_ body: [UInt8], type: MediaType, fingerprint: String?) throws(PayloadError) {
        if type.name == MediaType.npy {
            // Without one, a swap between /encode and /decode would turn them into a wrong picture.
            guard let fingerprint else {
                throw .invalid(
                    "a NumPy array does not say whose tokens it holds; add the Revq-Fingerprint that /encode answered, as a header or as ?fingerprint="
                )
            }
            values = try Self.readArray(body)
            self.fingerprint = fingerprint
        } else {
            let document = try Self.readDocument(body)
            guard fingerprint == nil || fingerprint == document.fingerprint else {
                throw .invalid("the request's fingerprint and the body's differ")
            }
            values = document.tokens
            self.fingerprint = document.fingerprint
        }
    }

    /// One image's tokens: `[tokens]`, or `[1, tokens]`.
    private static func readArray(_ body: [UInt8]) throws(PayloadError) -> [Int] {
        let array: NumPyArray
        do throws(NumPyArray.FormatError) {
            array = try NumPyArray(parsing: body)
        } catch {
            throw .malformed("\(error)")
        }
        guard array.shape.count == 1 || array.shape.count == 2 && array.shape[0] == 1 else {
            throw .invalid("the array has the shape \(array.shape); expected [tokens] or [1, tokens]")
        }
        guard array.count <= maximumCount else { throw .invalid("the array has more than \(maximumCount) values") }
        guard let values = array.integers else {
            throw .invalid("the array's type is '\(array.type.rawValue)'; expected integers, such as '<i4'")
        }
        return values.map { Int($0) }
    }

    /// Every field that ``TokensDocument`` writes may occur; the fingerprint and the tokens must.
    private static func readDocument(_ body: [UInt8]) throws(PayloadError) -> (fingerprint: String, tokens: [Int]) {
        var fingerprint: String?
        var tokens: [Int]?
        let fields = ["model", "version", "fingerprint", "grid", "tokens"]
        try JSONReader.readDocument(body, fields: fields) { field, reader throws(PayloadError) in
            switch field {
            case "fingerprint": fingerprint = try reader.readString(field)
            case "tokens": tokens = try reader.readIntegers(field, atMost: maximumCount)
            case "version": _ = try reader.readInteger(field)
            case "grid": try readGrid(&reader)
            default: _ = try reader.readString(field)
            }
        }
        guard let fingerprint else { throw .invalid("the field \"fingerprint\" is missing; expected the one /encode answered") }
        guard let tokens else { throw .invalid("the field \"tokens\" is missing; expected an array of integers") }
        return (fingerprint, tokens)
    }

    private static func readGrid(_ reader: inout JSONReader) throws(PayloadError) {
        let fields = TokensDocument.Grid.Field.allCases.map(\.rawValue)
        try reader.readObject(fields, named: "grid") { field, reader throws(PayloadError) in
            if field == "latent" {
                _ = try reader.readIntegers("grid.latent", atMost: 3)
            } else {
                _ = try reader.readInteger("grid.\(field)")
            }
        }
    }

    /// The tokens as `model` takes them.
    /// - Throws: ``PayloadError`` naming the first that is out of range, or how many are expected.
    func checked(for facts: ModelFacts) throws(PayloadError) -> Tokens {
        guard values.count == facts.tokensPerImage else {
            throw .tokenCount("there are \(values.count) tokens; the model has \(facts.tokensPerImage) per image")
        }
        if let index = values.firstIndex(where: { !(0..<facts.codebookSize).contains($0) }) {
            throw .tokenRange("tokens[\(index)] is \(values[index]); the model's tokens are 0 … \(facts.codebookSize - 1)")
        }
        return Tokens(ofOneImage: values.map { Int32($0) })
    }
}
