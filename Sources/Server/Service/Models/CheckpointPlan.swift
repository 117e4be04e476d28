/// Decides which checkpoint each model should be serving next. A pure value: it reads no disk and loads nothing.
///
/// A model serves its newest version that loads. A version that failed is not tried again while its files, and those it may share
/// with others, stay the same; the next newest takes its place, which is the one already served unless the server has just started.
struct CheckpointPlan {
    private struct Attempt: Hashable {
        let files: FolderIdentity
        let shared: FolderIdentity

        init(_ candidate: CheckpointCandidate) {
            (files, shared) = (candidate.files, candidate.shared)
        }
    }

    private var served: [String: FolderIdentity] = [:]
    private var failed: Set<Attempt> = []
    /// Models that are served and were missing when last looked for.
    private var missing: Set<String> = []

    /// The next checkpoint to load, if any model should serve another than it does.
    /// - Parameter found: everything on disk. What has failed and is no longer there is forgotten.
    mutating func next(_ found: [CheckpointCandidate]) -> CheckpointCandidate? {
        failed.formIntersection(found.map(Attempt.init))
        let byModel = Dictionary(grouping: found.filter { !failed.contains(Attempt($0)) }, by: \.model)
        for (model, candidates) in byModel.sorted(by: { $0.key < $1.key }) {
            if let newest = candidates.max(by: Self.isOlder), newest.files != served[model] { return newest }
        }
        return nil
    }

    /// The models to serve no longer: those whose last version has been removed. One that is missing once may be in the middle of being
    /// replaced, so it goes when it is missing twice in a row.
    /// - Parameter found: everything on disk.
    mutating func withdraw(_ found: [CheckpointCandidate]) -> [String] {
        let gone = Set(served.keys).subtracting(found.map(\.model))
        let withdrawn = gone.intersection(missing)
        for model in withdrawn { served[model] = nil }
        missing = gone.subtracting(withdrawn)
        return withdrawn.sorted()
    }

    mutating func didServe(_ candidate: CheckpointCandidate) {
        served[candidate.model] = candidate.files
    }

    mutating func didFail(_ candidate: CheckpointCandidate) {
        failed.insert(Attempt(candidate))
    }

    private static func isOlder(_ a: CheckpointCandidate, _ b: CheckpointCandidate) -> Bool {
        VersionName(a.version) < VersionName(b.version)
    }
}

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
