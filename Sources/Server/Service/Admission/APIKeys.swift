import Files

/// The keys that clients may use, as a file lists them: one a line, its name, the SHA-256 of its text in hexadecimal digits, and what it may do.
///
///     # name   sha256                   per minute   which operations
///     shop     9f86d081884c7d65…        per-minute=600   operations=encode,decode
///
/// What is not said is not limited. The keys themselves are nowhere.
struct APIKeys: Sendable, Equatable {
    struct Key: Sendable, Equatable {
        let name: String
        /// 64 lower-case hexadecimal digits.
        let digest: String
        /// Items a minute; nil for any number.
        var perMinute: Int?
        var operations = Set(Operation.allCases)
        /// Whether it may order what is served. That has to be said: `operations=admin`.
        var mayAdminister = false
    }

    let keys: [Key]

    /// - Throws: ``ConfigurationError`` naming the line and what is wrong with it.
    init(parsing text: String) throws(ConfigurationError) {
        var keys: [Key] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
            guard !words.isEmpty else { continue }
            do throws(ConfigurationError) {
                let key = try Self.key(words)
                guard !keys.contains(where: { $0.name == key.name || $0.digest == key.digest }) else {
                    throw ConfigurationError(description: "the name or the key occurs twice")
                }
                keys.append(key)
            } catch {
                throw ConfigurationError(description: "line \(index + 1) of the API keys: \(error.description)")
            }
        }
        self.keys = keys
    }

    private static func key(_ words: [String]) throws(ConfigurationError) -> Key {
        guard words.count >= 2, FileDigest.isSHA256(words[1]) else {
            throw ConfigurationError(description: "expected a name and the SHA-256 of the key, 64 hexadecimal digits in lower case")
        }
        var key = Key(name: words[0], digest: words[1])
        for word in words[2...] {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            switch (parts.first, parts.count == 2 ? parts[1] : "") {
            case ("per-minute", let value):
                guard let number = Int(value), (1...1_000_000_000).contains(number) else {
                    throw ConfigurationError(description: "per-minute is \"\(value)\"; expected a whole number, at least 1")
                }
                key.perMinute = number
            case ("operations", let value):
                let names = value.split(separator: ",").map(String.init)
                let operations = names.filter { $0 != "admin" }.map(Operation.init(rawValue:))
                guard !names.isEmpty, !operations.contains(nil) else {
                    throw ConfigurationError(
                        description: "operations is \"\(value)\"; expected some of encode, decode, reconstruct, admin, with commas")
                }
                key.operations = Set(operations.compactMap(\.self))
                key.mayAdminister = names.contains("admin")
            default: throw ConfigurationError(description: "\"\(word)\" is not known; expected per-minute= or operations=")
            }
        }
        return key
    }

    /// The key whose text this is. Every one is compared to its last digit, so that time tells nothing of them.
    func key(_ text: String) -> Key? {
        let digest = Array(FileDigest.sha256(text).utf8)
        var found: Key?
        for key in keys {
            let difference = zip(key.digest.utf8, digest).reduce(UInt8(0)) { $0 | $1.0 ^ $1.1 }
            if difference == 0 { found = key }
        }
        return found
    }
}
