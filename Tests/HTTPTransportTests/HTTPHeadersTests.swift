import Testing

@testable import HTTPTransport

@Suite struct HTTPHeadersTests {
    @Test func namesCompareWithoutCase() {
        var headers: HTTPHeaders = ["Accept": "a", "X": "1", "accept": "b"]
        #expect(headers["ACCEPT"] == "a")
        #expect(headers.values("aCCEPT") == ["a", "b"])
        #expect(headers.contains("x"))
        #expect(!headers.contains("y"))
        headers["Accept"] = "c"
        #expect(headers.fields == [.init(name: "X", value: "1"), .init(name: "Accept", value: "c")])
        headers["x"] = nil
        #expect(headers.count == 1)
    }

    @Test func onlyASCIILettersHaveCase() {
        let headers: HTTPHeaders = ["[": "1", "\u{212A}": "2"]
        #expect(headers["{"] == nil)
        #expect(headers["k"] == nil)
    }

    @Test func listsSpanLines() {
        let headers: HTTPHeaders = ["A": "x, y ,,\t", "a": "", "A": "z"]
        #expect(headers.list("a") == ["x", "y", "z"])
    }
}
