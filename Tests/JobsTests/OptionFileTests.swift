import TestSupport
import Testing

@testable import Files
@testable import Jobs

@Suite struct OptionFileTests {
    private func read(_ text: String) throws -> [String: OptionFile.Value] {
        try withScratchFolder { folder in
            try StoredFile.write(Array(text.utf8), to: folder + "/run.yaml")
            return Dictionary(uniqueKeysWithValues: try OptionFile(folder + "/run.yaml").entries.map { ($0.name, $0.value) })
        }
    }

    private func one(_ text: String) -> OptionFile.Value { OptionFile.Value([text], isList: false) }
    private func list(_ texts: String...) -> OptionFile.Value { OptionFile.Value(texts, isList: true) }

    @Test func linesAreNamesAndValues() throws {
        let text = """
            # A run.
            ---
            images: runs/my pictures   # beside the others
            learning-rate: 1e-3
            residual: true
            name: 'it''s # one'
            other: "no"
            tokens: [512, '256' , 128]  # fewer and fewer
            codes:
              - 256
              - "4096"
            at: 12:30
            """
        for text in [text, text.replacing("\n", with: "\r\n")] {
            let entries = try read(text)
            #expect(entries["images"] == one("runs/my pictures") && entries["learning-rate"] == one("1e-3") && entries["residual"] == one("true"))
            #expect(entries["name"] == one("it's # one") && entries["other"] == one("no") && entries["at"] == one("12:30"))
            #expect(entries["tokens"] == list("512", "256", "128") && entries["codes"] == list("256", "4096") && entries.count == 8)
        }
    }

    @Test func jsonIsTakenToo() throws {
        let entries = try read("\n {\"steps\": 300, \"learning-rate\": 1e-3, \"residual\": false, \"images\": \"a b\", \"tokens\": [512, 256]}")
        #expect(entries["steps"] == one("300") && entries["learning-rate"] == one("0.001") && entries["residual"] == one("false"))
        #expect(entries["images"] == one("a b") && entries["tokens"] == list("512", "256"))
    }

    @Test(arguments: [
        ("steps 300", "line 1: expected \"name: value\", found \"steps 300\""),
        ("a: 1\nsteps:300", "line 2: expected \"name: value\", found \"steps:300\""),
        ("vae:\n  folder: x", "line 2: expected \"name: value\", found \"folder: x\""),
        ("steps:", "steps has no value"), ("- 1", "line 1: a list's line without a name above it"),
        ("a: [1, 2", "line 1: a list ends with ]"), ("a: [1] 2", "line 1: \"2\" behind a list"),
        ("a: 'x' y", "line 1: \"y\" behind a quoted value"), ("a: 'x", "line 1: a quotation mark is missing"),
        ("a: \"x\\n\"", "line 1: a backslash between double quotes: use single ones, where it means itself"),
        ("a: &b 1", "line 1: values are text, numbers, true, false and lists of these, not \"&b 1\""),
        ("a: {b: 1}", "line 1: values are text, numbers, true, false and lists of these, not \"{b: 1}\""),
        ("a: 1\nb: 2\na: 3", "a occurs twice"),
        ("{\"a\": null}", "a is text, a number, true, false or a list of these, not none"),
        ("{\"a\": {\"b\": 1}}", "a is text, a number, true, false or a list of these, not {b: 1}"),
    ])
    func whatIsNoOptionIsNamed(text: String, reason: String) throws {
        let error = #expect(throws: FileError.self) { try read(text) }
        #expect(error?.reason.hasSuffix("/run.yaml: \(reason)") == true, "\(String(describing: error))")
    }

    @Test func brokenJSONIsRefusedInOneLine() throws {
        let error = #expect(throws: FileError.self) { try read("{\"a\": 1,,}") }
        #expect(error?.reason.contains("is no JSON object") == true && error?.reason.contains("\n") == false)
    }

    @Test func whatIsWrittenReadsBack() throws {
        let texts = ["a", "a b", "it's", "#1", "-1", "", "true", "1e-3", "a: b", "[x]", "grün", "~", "\\n", " x ", "k-means++", "x #y", "---"]
        let entries = texts.enumerated().map { (name: "n\($0)", value: one($1)) } + [(name: "all", value: OptionFile.Value(texts, isList: true))]
        let found = try read(OptionFile.text(entries, heading: "these"))
        #expect(found == Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.value) }))
    }
}
