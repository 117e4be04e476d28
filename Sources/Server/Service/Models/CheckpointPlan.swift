/// Decides which checkpoint each model should be serving next. A pure value: it reads no disk and loads nothing.
///
/// A model serves its newest version that loads. One that failed is tried again when its files, or those it may share with others, have
/// changed, and seldom while they stay the same, for what the machine lacked then it may have later. Until then the next newest takes its
/// place, which is the one already served unless the server has just started.
struct CheckpointPlan {
    typealias Instant = ContinuousClock.Instant

    private struct Attempt: Hashable {
        let files: FolderIdentity
        let shared: FolderIdentity

        init(_ candidate: CheckpointCandidate) {
            (files, shared) = (candidate.files, candidate.shared)
        }
    }

    private struct Failure {
        let attempt: Attempt
        /// How many there were in a row.
        let count: Int
        let time: Instant

        /// A version that somebody is still writing changes at every look, and costs as much each time.
        private static let longestWaitOfChanged = 64
        private static let waitOfUnchanged = 60
        private static let longestWaitOfUnchanged = 3600

        func allows(_ candidate: CheckpointCandidate, at now: Instant) -> Bool {
            let doubled = 1 << min(count - 1, 16)
            let seconds =
                Attempt(candidate) == attempt
                ? min(Self.waitOfUnchanged * doubled, Self.longestWaitOfUnchanged) : min(doubled / 2, Self.longestWaitOfChanged)
            return now >= time + .seconds(seconds)
        }
    }

    private var served: [String: FolderIdentity] = [:]
    /// By path.
    private var failures: [String: Failure] = [:]
    /// Models that are served and were missing when last looked for.
    private var missing: Set<String> = []

    /// The next checkpoint to load, if any model should serve another than it does.
    /// - Parameter found: everything on disk. What has failed and is no longer there is forgotten.
    mutating func next(_ found: [CheckpointCandidate], at now: Instant) -> CheckpointCandidate? {
        let paths = Set(found.map(\.path))
        failures = failures.filter { paths.contains($0.key) }
        let byModel = Dictionary(grouping: found.filter { failures[$0.path]?.allows($0, at: now) != false }, by: \.model)
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
        failures[candidate.path] = nil
    }

    mutating func didFail(_ candidate: CheckpointCandidate, at now: Instant) {
        let count = (failures[candidate.path]?.count ?? 0) + 1
        failures[candidate.path] = Failure(attempt: Attempt(candidate), count: count, time: now)
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
