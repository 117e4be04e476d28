import TestSupport
import Testing

@testable import HTTPTransport

@Suite struct MultipartBodyTests {
    private func body(_ lines: [String]) -> [UInt8] {
        Array(lines.joined(separator: "\r\n").utf8)
    }

    private let single = [
        "--XYZ", "Content-Disposition: form-data; name=\"image\"; filename=\"a;b \\\"c\\\".png\"", "Content-Type: image/png", "", "DATA\r\n--XY",
        "--XYZ--", "",
    ]

    private func contents(_ body: [UInt8], boundary: String = "XYZ") throws -> [String] {
        try MultipartBody(body, boundary: boundary).parts.map { String(decoding: body[$0.content], as: UTF8.self) }
    }

    @Test func readsAFileAsCurlSendsIt() throws {
        let body = body(single)
        let part = try #require(try MultipartBody(body, boundary: "XYZ").parts.first)
        #expect(part.name == "image")
        #expect(part.filename == "a;b \"c\".png")
        #expect(part.contentType == "image/png")
        #expect(String(decoding: body[part.content], as: UTF8.self) == "DATA\r\n--XY")
    }

    @Test func readsSeveralPartsWithPreambleAndEpilogue() throws {
        let text = [
            "nobody reads this", "--XYZ  ", "content-disposition:form-data;name=a", "", "one", "--XYZ", "Content-Disposition: form-data; name=\"b\"",
            "", "", "--XYZ--", "nor this",
        ]
        #expect(try contents(body(text)) == ["one", ""])
    }

    @Test func noPartsAreNoError() throws {
        #expect(try contents(body(["--XYZ--", ""])) == [])
    }

    @Test(
        arguments: [
            [], [""], ["--XYZ"], ["--XY--"], ["x--XYZ--"],
            ["--XYZ", "Content-Disposition: form-data; name=a", "", "no end"],
            ["--XYZ", "Content-Disposition: form-data; name=a", "--XYZ--"],
            ["--XYZ", "", "no header", "--XYZ--"],
            ["--XYZ", "Content-Type: image/png", "", "no name", "--XYZ--"],
            ["--XYZ", "Content-Disposition: form-data", "", "no name", "--XYZ--"],
            ["--XYZ", "Content-Disposition: attachment; name=a", "", "wrong", "--XYZ--"],
            ["--XYZ", "Content-Disposition form-data; name=a", "", "wrong", "--XYZ--"],
            ["--XYZ", "Content-Disposition: form-data; name=\"a", "", "open quote", "--XYZ--"],
            ["--XYZjunk", "Content-Disposition: form-data; name=a", "", "wrong", "--XYZ--"],
        ] as [[String]])
    func refusesDamagedForms(lines: [String]) {
        #expect(throws: MultipartBody.FormatError.self) { try contents(body(lines)) }
    }

    @Test func boundsPartsHeadersAndBoundary() {
        let part = ["--XYZ", "Content-Disposition: form-data; name=a", "", "x"]
        let many = body(Array(repeating: part, count: 17).joined() + ["--XYZ--"])
        #expect(throws: MultipartBody.FormatError.self) { try contents(many) }
        let long = body(["--XYZ", "Content-Disposition: form-data; name=a", "X: " + String(repeating: "x", count: 5_000), "", "x", "--XYZ--"])
        #expect(throws: MultipartBody.FormatError.self) { try contents(long) }
        #expect(throws: MultipartBody.FormatError.self) { try contents(body(single), boundary: "") }
        #expect(throws: MultipartBody.FormatError.self) { try contents(body(single), boundary: String(repeating: "x", count: 71)) }
    }

    @Test(arguments: ["\r", "\n", "\r\n", "-", "\r\n-", "\r\n--", "\r\n--X", "\r\n--XY\r\n--XY", "\r\r\n\n-\r"])
    func findsItsDelimiterBehindWhatLooksLikeIt(_ part: String) throws {
        for count in 0..<40 {
            let content = String(repeating: part, count: count) + String(repeating: "x", count: count % 4)
            let text = ["--XYZ", "Content-Disposition: form-data; name=a", "", content, "--XYZ--", ""]
            #expect(try contents(body(text)) == [content])
            #expect(try contents(body([content + "x"] + text)) == [content])
        }
    }

    @Test func survivesDamagedForms() {
        var random = TestRandom(seed: 3)
        var accepted = 0
        for _ in 0..<20_000 where (try? contents(random.mutated(body(single)))) != nil { accepted += 1 }
        #expect(accepted > 0 && accepted < 20_000)
    }
}
