/// The decoded `name=value` pairs of a request target, in order.
package struct HTTPQuery: Sendable, Equatable, Sequence {
    package struct Item: Sendable, Equatable {
        package let name: String
        /// Empty for `?name` and for `?name=`.
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package let items: [Item]

    package init(_ items: [Item] = []) {
        self.items = items
    }

    /// Decodes what follows the `?`: pairs joined by `&`, percent-encoded UTF-8, `+` for a space as HTML forms write it.
    ///
    /// `nil` if an escape is malformed or the bytes are not UTF-8.
    init?(encoded: Substring) {
        var items: [Item] = []
        for pair in encoded.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts[0].percentDecoded(plusIsSpace: true),
                let value = parts.count > 1 ? parts[1].percentDecoded(plusIsSpace: true) : ""
            else { return nil }
            items.append(Item(name: name, value: value))
        }
        self.items = items
    }

    /// The first value of `name`, which compares exactly.
    package subscript(name: String) -> String? {
        items.first { $0.name == name }?.value
    }

    package func makeIterator() -> IndexingIterator<[Item]> {
        items.makeIterator()
    }
}

extension Substring {
    /// The bytes behind `%XX` escapes, read as UTF-8; `nil` if an escape is malformed, the result is not UTF-8, or it holds
    /// a NUL, which no name in this service contains and which truncates C strings.
    func percentDecoded(plusIsSpace: Bool) -> String? {
        if !utf8.contains(UInt8(ascii: "%")), !(plusIsSpace && utf8.contains(UInt8(ascii: "+"))) { return String(self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue, high | low != 0
                else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? .space : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
