import Files
import Jobs
import Pictures

/// Takes what came of the pictures, in order, and writes a part when it has all of it.
struct PartWriter {
    private let run: TokenizingRun
    /// The parts to write, in order.
    private let parts: [Int]
    private var written = 0
    private var entries: [PictureEntry] = []
    private var rows: [TokenRow] = []
    private var seen: Set<ContentKey> = []
    /// Of all of the job's pictures, how many are done.
    private(set) var done: Int
    let total: Int
    private(set) var skipped = 0
    /// Pictures whose contents an earlier one had.
    private(set) var copies = 0

    /// Complaints that are shown one by one; all are listed in files.
    private static let mostComplaints = 20

    init(_ run: TokenizingRun, _ parts: [Int], done: Int) {
        (self.run, self.parts, self.done) = (run, parts, done)
        total = done + parts.reduce(0) { $0 + run.terms.range(of: $1).count }
    }

    var isFinished: Bool { written == parts.count }

    mutating func take(_ outcome: PictureOutcome) throws(FileError) {
        if let failure = outcome.failure { throw failure }
        let entry = run.entry(outcome)
        entries.append(entry)
        switch outcome.answer {
        case .success(let encoded): rows.append(TokenRow(picture: entry, tokens: encoded.tokens))
        case .failure(let problem):
            skipped += 1
            if skipped <= Self.mostComplaints { run.console.say("skipped: \(entry.name): \(problem)") }
        }
        if let digest = outcome.digest, !seen.insert(ContentKey(digest)).inserted { copies += 1 }
        done += 1
        let part = parts[written]
        if entries.count == run.terms.range(of: part).count { try write(part) }
        run.console.update(done: done, figures: skipped > 0 ? ["\(skipped) skipped"] : [])
    }

    private mutating func write(_ part: Int) throws(FileError) {
        try run.folder.write(part, rows, of: entries, run.terms)
        try run.folder.setStamp(run.source.stamp(of: run.terms.range(of: part)), part)
        (entries, rows) = ([], [])
        written += 1
    }
}

extension TokenizingRun {
    func entry(_ outcome: PictureOutcome) -> PictureEntry {
        let name = source.name(at: outcome.number)
        let label = labels[name]
        var (encoded, problem) = (nil as PictureEncoder.Encoded?, nil as String?)
        switch outcome.answer {
        case .success(let answer): encoded = answer
        case .failure(let reason): problem = reason.description
        }
        return PictureEntry(
            number: outcome.number, name: name, sha256: outcome.digest?.sha256, class: label.map { labels.names[$0] }, label: label,
            width: encoded?.width, height: encoded?.height, problem: problem)
    }
}
