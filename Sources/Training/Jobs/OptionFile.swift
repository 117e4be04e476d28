import Files
import FoundationEssentials

/// Options of a command from a file: a flat JSON object, or lines of `name: value`, of which YAML is a superset.
///
/// Values are text as on a command line, so that nothing is read otherwise than there: `1e-3` is no string and `no` is not false.
package struct OptionFile {
    /// What stands beside a name.
    package struct Value: Equatable, Sendable {
        /// One text, or those of a list.
        package let texts: [String]
        package let isList: Bool

        package init(_ texts: [String], isList: Bool) {
            (self.texts, self.isList) = (texts, isList)
        }
    }

    package let entries: [(name: String, value: Value)]

    private static let maximumBytes = 1 << 20

    /// - Throws: naming the file, and the line or the name where something else was expected.
    package init(_ path: String) throws(FileError) {
        let bytes = try StoredFile.read(path, maximumBytes: Self.maximumBytes)
        let isJSON = bytes.first { !Array(" \t\r\n".utf8).contains($0) } == UInt8(ascii: "{")
        entries = isJSON ? try Self.json(bytes, path) : try Self.lines(String(decoding: bytes, as: UTF8.self), path)
        var seen: Set<String> = []
        for (name, _) in entries where !seen.insert(name).inserted { throw FileError(path, "\(name) occurs twice") }
    }

    private static func json(_ bytes: [UInt8], _ path: String) throws(FileError) -> [(String, Value)] {
        let members: [String: JSONValue]
        do {
            members = try JSONDecoder().decode([String: JSONValue].self, from: Data(bytes))
        } catch {
            throw FileError(path, "is no JSON object: \(error.summary)")
        }
        return try members.sorted { $0.key < $1.key }.map { name, member throws(FileError) in
            guard let value = Value(member) else {
                throw FileError(path, "\(name) is text, a number, true, false or a list of these, not \(member.text)")
            }
            return (name, value)
        }
    }

    private static func lines(_ text: String, _ path: String) throws(FileError) -> [(String, Value)] {
        var (entries, open): ([(String, Value)], String?) = ([], nil)
        var reader = OptionLines(text, path)
        while let line = try reader.next() {
            switch line {
            case .entry(let name, let value):
                open = value == nil ? name : nil
                entries.append((name, value ?? Value([], isList: true)))
            case .item(let text):
                guard open != nil, let last = entries.popLast() else { throw reader.error("a list's line without a name above it") }
                entries.append((last.0, Value(last.1.texts + [text], isList: true)))
            }
        }
        if let empty = entries.first(where: { $0.1.isList && $0.1.texts.isEmpty }) { throw FileError(path, "\(empty.0) has no value") }
        return entries
    }

    /// A file that reads back as these options.
    package static func text(_ entries: [(name: String, value: Value)], heading: String) -> String {
        let lines = entries.map { name, value in
            let texts = value.texts.map(OptionLines.quoted)
            return "\(name): " + (value.isList ? "[\(texts.joined(separator: ", "))]" : texts[0])
        }
        return (["# \(heading)"] + lines).joined(separator: "\n") + "\n"
    }
}

extension OptionFile.Value {
    /// - Returns: nil for what no option can be.
    fileprivate init?(_ value: JSONValue) {
        func text(_ value: JSONValue) -> String? {
            switch value {
            case .bool, .number, .string: value.text
            case .null, .array, .object: nil
            }
        }
        if case .array(let values) = value {
            let texts = values.compactMap(text)
            guard texts.count == values.count, !texts.isEmpty else { return nil }
            self.init(texts, isList: true)
        } else {
            guard let text = text(value) else { return nil }
            self.init([text], isList: false)
        }
    }
}

/// The lines of an ``OptionFile`` that is no JSON.
private struct OptionLines {
    enum Line {
        /// Without a value where a list follows.
        case entry(String, OptionFile.Value?)
        case item(String)
    }

    private var rest: ArraySlice<Substring>
    private var number = 0
    private let path: String

    /// What begins a value that YAML reads as something else than text.
    private static let reserved: Set<Character> = ["&", "*", "!", "{", "}", "|", ">", "%", "@", "`", "]", ",", "?"]

    init(_ text: String, _ path: String) {
        rest = text.split(omittingEmptySubsequences: false) { $0.isNewline }[...]
        self.path = path
    }

    func error(_ problem: String) -> FileError { FileError(path, "line \(number): \(problem)") }

    /// - Returns: nil after the last line.
    mutating func next() throws(FileError) -> Line? {
        while let line = rest.popFirst() {
            number += 1
            var text = line[...]
            let isIndented = text.first == " " || text.first == "\t"
            text = Self.trimmed(text)
            if text.isEmpty || text.hasPrefix("#") || text == "---" { continue }
            if text.hasPrefix("- ") { return .item(try scalar(&text, from: 2, endsAt: [])) }
            guard !isIndented, let colon = text.firstIndex(of: ":"), text[text.index(after: colon)...].first.map({ $0 == " " }) ?? true else {
                throw error("expected \"name: value\", found \"\(text)\"")
            }
            let name = String(text[..<colon])
            text = Self.trimmed(text[text.index(after: colon)...])
            if text.isEmpty || text.hasPrefix("#") { return .entry(name, nil) }
            if text.first == "[" { return .entry(name, try list(&text)) }
            return .entry(name, OptionFile.Value([try scalar(&text, from: 0, endsAt: [])], isList: false))
        }
        return nil
    }

    private func list(_ text: inout Substring) throws(FileError) -> OptionFile.Value {
        text.removeFirst()
        var items: [String] = []
        while true {
            text = Self.trimmed(text)
            items.append(try scalar(&text, from: 0, endsAt: [",", "]"]))
            text = Self.trimmed(text)
            guard let end = text.popFirst() else { throw error("a list ends with ]") }
            if end == "]" { break }
        }
        text = Self.trimmed(text)
        guard text.isEmpty || text.hasPrefix("#") else { throw error("\"\(text)\" behind a list") }
        return OptionFile.Value(items, isList: true)
    }

    /// One value, and nothing behind it but a comment, or what ends an item of a list.
    private func scalar(_ text: inout Substring, from start: Int, endsAt ends: Set<Character>) throws(FileError) -> String {
        text = Self.trimmed(text.dropFirst(start))
        guard let first = text.first, !Self.reserved.contains(first), first != "[" else {
            throw error("values are text, numbers, true, false and lists of these, not \"\(text)\"")
        }
        if first == "'" || first == "\"" { return try quoted(&text, first, ends) }
        var value = ""
        while let character = text.first, !ends.contains(character) {
            if character == "#" && value.last?.isWhitespace == true { break }
            value.append(character)
            text.removeFirst()
        }
        if ends.isEmpty { text = "" }
        return String(Self.trimmed(value[...]))
    }

    private func quoted(_ text: inout Substring, _ mark: Character, _ ends: Set<Character>) throws(FileError) -> String {
        text.removeFirst()
        var value = ""
        while let character = text.popFirst() {
            if character == "\\" && mark == "\"" { throw error("a backslash between double quotes: use single ones, where it means itself") }
            if character == mark {
                // Twice means itself.
                guard mark == "'", text.first == mark else {
                    let behind = Self.trimmed(text)
                    guard !ends.isEmpty || behind.isEmpty || behind.hasPrefix("#") else { throw error("\"\(behind)\" behind a quoted value") }
                    return value
                }
                text.removeFirst()
            }
            value.append(character)
        }
        throw error("a quotation mark is missing")
    }

    /// As the lines above have it.
    static func quoted(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_./+:=~".unicodeScalars.contains($0)
        }
        if isPlain, let first = text.first, first != "-", first != "~", first != "=", text != "---" { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
        return text
    }
}
