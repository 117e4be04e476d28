import Compute
import Files
import Jobs
import Pictures

/// Finds out which parts are there, whole, and made of the pictures as they are now; what others hold that is still of use goes into the
/// journal.
///
/// A picture that was changed under a finished part is computed again, and the part written again: the index then says the truth about
/// every picture, which is what it is for. Refusing would leave the user to delete the right files by hand.
struct PartCheck {
    private let run: TokenizingRun
    private let journal: TokenJournal
    /// The parts to make, in order.
    private(set) var outdated: [Int] = []
    /// Of the others: their pictures, and how many of those could not be used.
    private(set) var finishedPictures = 0, skipped = 0

    init(_ run: TokenizingRun, _ journal: TokenJournal) {
        (self.run, self.journal) = (run, journal)
    }

    var outdatedPictures: Int { outdated.reduce(0) { $0 + run.terms.range(of: $1).count } }

    /// - Returns: false when a stop was requested.
    mutating func run(_ isStopRequested: () -> Bool) throws(FileError) -> Bool {
        for part in run.parts {
            if isStopRequested() { return false }
            guard let index = try finished(part) else {
                outdated.append(part)
                continue
            }
            finishedPictures += index.pictures.count
            skipped += index.pictures.count { !$0.isUsable }
        }
        return true
    }

    /// The index of a part that need not be made; otherwise its tokens are kept and the answer is nil.
    private func finished(_ part: Int) throws(FileError) -> PartIndex? {
        guard run.folder.hasIndex(part) else { return nil }
        let (index, tokens): (PartIndex, [[Int32]])
        do throws(FileError) {
            index = try run.folder.index(part)
            tokens = try run.folder.tokens(index, run.terms)
        } catch {
            run.console.say("\(error.reason): part \(part) is made again")
            return nil
        }
        if try isCurrent(index) { return index }
        for (picture, tokens) in zip(index.usable, tokens) {
            guard let key = picture.sha256.flatMap({ ContentKey(sha256: $0) }), let width = picture.width, let height = picture.height else {
                continue
            }
            try journal.append(PictureEncoder.Encoded(width: width, height: height, tokens: tokens), of: key)
        }
        return nil
    }

    private func isCurrent(_ index: PartIndex) throws(FileError) -> Bool {
        let (part, range) = (index.part, run.terms.range(of: index.part))
        let names = range.map { run.source.name(at: $0) }
        let labels = names.map { run.labels[$0] }
        let isSame =
            index.pictures.map(\.name) == names && index.pictures.map(\.number) == Array(range) && index.pictures.map(\.label) == labels
            && index.fingerprint == run.terms.fingerprint
        guard isSame else { return false }
        let stamp = run.source.stamp(of: range)
        if run.folder.stamp(part) == stamp { return true }
        guard digests(of: range) == index.pictures.map(\.sha256) else {
            run.console.say(
                "pictures \(range.lowerBound) to \(range.upperBound - 1) are not all those that part \(part) was made of: it is made again")
            return false
        }
        try run.folder.setStamp(stamp, part)
        return true
    }

    /// The SHA-256 of each picture's file; nil for one that cannot be read.
    private func digests(of range: Range<Int>) -> [String?] {
        let source = run.source
        return [String?](unsafeUninitializedCapacity: range.count) { digests, count in
            let target = digests.baseAddress!
            Workers.forEach(range.count) { place in
                (target + place).initialize(to: (try? source.bytes(at: range.lowerBound + place)).map { FileDigest(contents: $0).sha256 })
            }
            count = range.count
        }
    }
}
