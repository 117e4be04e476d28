import TestSupport
import Testing

@testable import Files
@testable import HTTPTransport
@testable import Service
@testable import TokenizerCore

@Suite struct ClaimedTokensTests {
    private let json = MediaType(parsing: "application/json")!
    private let npy = MediaType(parsing: "application/x-npy")!
    private let model = ServedModel(name: "default", engine: FakeEngine())

    private func claimed(_ text: String, fingerprint: String? = nil) throws(PayloadError) -> ClaimedTokens {
        try ClaimedTokens(Array(text.utf8), type: json, fingerprint: fingerprint)
    }

    private func reason(_ text: String, fingerprint: String? = nil) -> String? {
        do {
            _ = try claimed(text, fingerprint: fingerprint)
            return nil
        } catch { return error.reason }
    }

    @Test func readsTheDocumentThatEncodeAnswers() throws {
        let document = TokensDocument(Tokens(ofOneImage: [1, 2, 3, 4]), from: model)
        let claimed = try ClaimedTokens(document.json.bytes, type: json, fingerprint: nil)
        #expect(claimed.content == .values([1, 2, 3, 4]))
        #expect(claimed.fingerprint == "f1")
    }

    @Test func readsTheArrayThatEncodeAnswers() throws {
        let claimed = try ClaimedTokens(NumPyArray([5, 6], shape: [2]).serialized(), type: npy, fingerprint: "f9")
        #expect(claimed.content == .values([5, 6]))
        #expect(claimed.fingerprint == "f9")
        #expect(try ClaimedTokens(NumPyArray([5, 6], shape: [1, 2]).serialized(), type: npy, fingerprint: "f9").content == .values([5, 6]))
    }

    @Test func needsFingerprintAndTokensOnly() throws {
        #expect(try claimed(#"{"tokens":[3],"fingerprint":"x"}"#).content == .values([3]))
        #expect(reason(#"{"tokens":[3]}"#) == "the field \"fingerprint\" is missing; expected the one /encode answered")
        #expect(reason(#"{"fingerprint":"x"}"#) == "the field \"tokens\" is missing; expected an array of integers, or of arrays of them")
    }

    @Test func refusesWhatContradictsItself() {
        #expect(reason(#"{"tokens":[3],"fingerprint":"x"}"#, fingerprint: "y") == "the request's fingerprint and the body's differ")
        #expect(reason(#"{"tokens":[3],"fingerprint":"x"}"#, fingerprint: "x") == nil)
    }

    @Test func checksTheTypesOfFieldsItDoesNotNeed() {
        #expect(reason(#"{"version":"1"}"#) == "version is a string; expected an integer")
        #expect(reason(#"{"model":1}"#) == "model is a number; expected a string")
        #expect(reason(#"{"grid":{"latent":[1,2,3,4]}}"#) == "grid.latent has more than 3 values")
        #expect(reason(#"{"grid":{"size":1}}"#)?.hasPrefix("grid has an unknown field \"size\"") == true)
    }

    @Test func refusesArraysThatAreNoTokens() {
        var floats = NumPyArray([1], shape: [1]).serialized()
        floats.replace("<i4".utf8, with: "<f4".utf8)
        #expect(throws: PayloadError.invalid("the array's type is '<f4'; expected integers, such as '<i4'")) {
            try ClaimedTokens(floats, type: npy, fingerprint: "f1")
        }
        #expect(
            throws: PayloadError.invalid("the array has the shape [1, 2, 1]; expected [tokens] or [images, tokens], at most 65536 tokens an image")
        ) {
            try ClaimedTokens(NumPyArray([1, 2], shape: [1, 2, 1]).serialized(), type: npy, fingerprint: "f1")
        }
        #expect(throws: PayloadError.self) { try ClaimedTokens([0x93], type: npy, fingerprint: "f1") }
    }

    @Test func checksCountAndRange() throws {
        let facts = model.facts
        #expect(try claimed(#"{"tokens":[0,299,1,2],"fingerprint":"f1"}"#).checked(for: facts).indices == [0, 299, 1, 2])
        #expect(throws: PayloadError.tokenCount("there are 3 tokens; the model has 4 per image")) {
            try claimed(#"{"tokens":[0,1,2],"fingerprint":"f1"}"#).checked(for: facts)
        }
        #expect(throws: PayloadError.tokenRange("tokens[2] is 300; the model's tokens are 0 … 299")) {
            try claimed(#"{"tokens":[0,1,300,-1],"fingerprint":"f1"}"#).checked(for: facts)
        }
        #expect(throws: PayloadError.tokenRange("tokens[3] is -1; the model's tokens are 0 … 299")) {
            try claimed(#"{"tokens":[0,1,2,-1],"fingerprint":"f1"}"#).checked(for: facts)
        }
    }

    @Test func survivesDamagedArrays() {
        var random = TestRandom(seed: 4)
        let file = NumPyArray([1, 2, 3, 4], shape: [4]).serialized()
        var accepted = 0
        for _ in 0..<20_000 where (try? ClaimedTokens(random.mutated(file), type: npy, fingerprint: "f1")) != nil { accepted += 1 }
        #expect(accepted > 0 && accepted < 20_000)
    }
}
