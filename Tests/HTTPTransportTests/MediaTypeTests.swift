import Testing

@testable import HTTPTransport

@Suite struct MediaTypeTests {
    @Test func readsNameAndParameters() throws {
        let type = try #require(MediaType(parsing: " Multipart/Form-Data ; Boundary=\"a;b\\\"c\" ; charset=utf-8;"))
        #expect(type.name == "multipart/form-data")
        #expect(type.parameters == ["boundary": "a;b\"c", "charset": "utf-8"])
    }

    @Test(arguments: [
        "", "image", "image/", "/png", "image/png/x", "ima ge/png", "image/png; q", "image/png; =x", "image/png; a=1; A=2", "image/png; a=\"x",
        "a/b; x=\"y\"z",
    ])
    func refusesWhatIsNone(text: String) {
        #expect(MediaType(parsing: text) == nil)
    }

    @Test(
        arguments: [
            ([], "application/json"),
            (["*/*"], "application/json"),
            (["application/x-npy"], "application/x-npy"),
            (["APPLICATION/*"], "application/json"),
            (["application/json;q=0.5", "application/x-npy"], "application/x-npy"),
            (["application/json;q=0", "*/*;q=0.1"], "application/x-npy"),
            (["text/html", "application/x-npy;q=0.2"], "application/x-npy"),
            (["image/*"], nil),
            (["application/json;q=0", "application/x-npy;q=0"], nil),
            (["application/json;q=nonsense"], nil),
            (["application/json;q=inf", "application/x-npy;q=0.1"], "application/x-npy"),
            (["application/json;q=nan"], nil),
            (["nonsense"], nil),
        ] as [([String], String?)])
    func negotiates(accept: [String], expected: String?) {
        #expect(Acceptance(accept).best(of: ["application/json", "application/x-npy"]) == expected)
    }

    /// One character may hold any number of scalars, and quoting it whole once made answers of 900 KB.
    @Test func quotedInputIsShortWhateverItIsMadeOf() {
        let endless = "e" + String(repeating: "\u{301}", count: 100_000)
        #expect(endless.shortened.utf8.count < 120)
        #expect("short".shortened == "short")
    }
}
