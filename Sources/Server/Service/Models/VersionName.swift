/// Orders version names as people count: runs of digits compare as numbers, so `step-9` comes before `step-10`.
struct VersionName: Comparable {
    private enum Run: Equatable {
        case text([UInt8])
        /// Without leading zeros.
        case number([UInt8])
    }

    private let runs: [Run]

    init(_ name: String) {
        var runs: [Run] = []
        var rest = Array(name.utf8)[...]
        while let first = rest.first {
            let isNumber = Self.isDigit(first)
            let run = rest.prefix { Self.isDigit($0) == isNumber }
            rest = rest.dropFirst(run.count)
            runs.append(isNumber ? .number(Array(run.drop { $0 == UInt8(ascii: "0") })) : .text(Array(run)))
        }
        self.runs = runs
    }

    static func < (a: VersionName, b: VersionName) -> Bool {
        for (x, y) in zip(a.runs, b.runs) where x != y {
            switch (x, y) {
            case (.text(let x), .text(let y)): return x.lexicographicallyPrecedes(y)
            case (.number(let x), .number(let y)): return x.count != y.count ? x.count < y.count : x.lexicographicallyPrecedes(y)
            case (.number, .text): return true
            case (.text, .number): return false
            }
        }
        return a.runs.count < b.runs.count
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
