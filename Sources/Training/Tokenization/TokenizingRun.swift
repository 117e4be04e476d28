import Compute
import Files
import Jobs
import Pictures

/// `revq-train tokenize`: pictures → tokens in files, once, going on where it was interrupted.
package struct TokenizingRun {
    package struct Options {
        /// See ``ImageSource/init(_:)``.
        let images: String
        let output: String
        let format: TokenFormat
        /// What LlamaGen's folders are called, and nil with other formats.
        let name: String?
        let picturesPerFile: Int
        let shard: ShardChoice

        package init(images: String, output: String, format: TokenFormat, name: String?, picturesPerFile: Int, shard: ShardChoice) {
            (self.images, self.output, self.format, self.name) = (images, output, format, name)
            (self.picturesPerFile, self.shard) = (picturesPerFile, shard)
        }
    }

    let encoder: PictureEncoder
    let source: ImageSource
    let labels: ClassLabels
    let folder: TokenFolder
    let terms: TokenTerms
    /// Those of this job.
    let parts: Range<Int>
    let console: Console
    private let shard: ShardChoice

    /// Pictures that are read while as many as there are threads are computed.
    private static let readAhead = 8
    /// Results that may wait while a part is written.
    private static let window = 512

    /// - Throws: when pictures, checkpoint and format do not go together; nothing is written.
    package init(_ options: Options, _ encoder: PictureEncoder, _ console: Console) throws(FileError) {
        source = try ImageSource(options.images)
        let source = source
        labels = ClassLabels(of: (0..<source.count).lazy.map { source.name(at: $0) })
        if encoder.framing.crop == .none && !options.format.allowsAnyLength {
            throw FileError(
                path: options.images,
                reason: "--format \(options.format.rawValue) has equally many tokens for each picture: it does not go with --crop none")
        }
        terms = TokenTerms(encoder, source, labels, options.format, name: options.name, picturesPerFile: options.picturesPerFile)
        folder = TokenFolder(path: options.output)
        parts = options.shard.share(of: terms.parts)
        (self.encoder, self.console, shard) = (encoder, console, options.shard)
        try checkLabels()
    }

    private func checkLabels() throws(FileError) {
        guard terms.format == .llamagen, !labels.names.isEmpty else { return }
        if let lost = (0..<source.count).first(where: { labels[source.name(at: $0)] == nil }) {
            throw FileError(
                path: source.path,
                reason:
                    "\(source.path): \(source.name(at: lost)) lies in no class folder, while other pictures do: LlamaGen's labels need one for each, or none"
            )
        }
    }

    /// Makes what is missing, and again what was made of pictures that have changed.
    /// - Returns: whether all parts of this job are done; false when a stop was requested.
    /// - Throws: when the folder holds other tokens or another job is at the same ones, or it cannot be written; what was saved stays.
    package func run(isStopRequested: @escaping @Sendable () -> Bool = { StopSignal.isRequested }) throws(FileError) -> Bool {
        guard !parts.isEmpty else {
            console.say(
                "nothing to do for job \(shard.index) of \(shard.count): there are only \(Figure.count(terms.parts, "part")) of \(terms.picturesPerFile) pictures; a lower --per-file makes more"
            )
            return true
        }
        if let named = shard.source {
            console.say("job \(shard.index) of \(shard.count), says \(named): parts \(parts.lowerBound) to \(parts.upperBound - 1) of \(terms.parts)")
        }
        let lock = try claim()
        defer { withExtendedLifetime(lock) {} }
        for remark in source.remarks { console.say("passed over: \(remark)") }
        let journal = try openJournal()
        var check = PartCheck(self, journal)
        guard try check.run(isStopRequested) else { return false }
        var writer = PartWriter(self, check.outdated, done: check.finishedPictures)
        let cache = ContentCache(journal)
        var context = ComputeContext.current
        context.threads = encoder.threadsPerLane
        let order = check.outdated
        let (source, encoder, perFile, cores) = (source, encoder, terms.picturesPerFile, Cores(encoder.callsAtOnce))
        let work = OrderedWork(threads: encoder.lanes + Self.readAhead, window: Self.window, context: context)
        console.begin(total: writer.total, start: writer.done, unit: "image")
        _ = try work.run(
            check.outdatedPictures, isStopRequested: isStopRequested,
            work: { piece in PictureOutcome(order[piece / perFile] * perFile + piece % perFile, source, encoder, cache, cores) },
            take: { _, outcome throws(FileError) in try writer.take(outcome) })
        console.closeLine()
        guard writer.isFinished else { return false }
        try finish(check, writer)
        return true
    }

    /// Makes the folder, or finds it to be of the same terms, and holds this job's parts.
    private func claim() throws(FileError) -> RangeLock {
        try StoredFolder.create(folder.path)
        // One at a time looks and writes what all jobs share.
        let door = try FileLock(file: folder.place(".door"), waits: true)
        defer { withExtendedLifetime(door) {} }
        var found: TokenTerms?
        if StoredFile.exists(folder.place(TokenFolder.metadataName)) {
            found = try folder.terms()
            if let difference = terms.difference(from: found!) {
                throw FileError(
                    path: folder.path, reason: "\(folder.path) holds tokens with \(difference): choose a new folder, or use the same options")
            }
        } else if try !StoredFolder.names(in: folder.path).allSatisfy({ $0.hasPrefix(".") }) {
            throw FileError(
                path: folder.path, reason: "\(folder.path) is not empty and has no \(TokenFolder.metadataName): choose a new folder for the tokens")
        }
        guard let lock = try RangeLock(parts, of: folder.place(".lock")) else {
            throw FileError(
                path: folder.path,
                reason: "\(folder.path): another process is making some of the same parts: wait for it, or give each a --shard of its own")
        }
        if let found, found != terms {
            guard lock.isAlone else {
                throw FileError(
                    path: folder.path, reason: "\(folder.path): another process is working there on other pictures than those of \(source.path)")
            }
            console.say("the pictures are not those that \(folder.path) was begun with: what was made of the same contents is kept")
        }
        if found != terms { try StoredFile.write(JSONFile.bytes(terms), to: folder.place(TokenFolder.metadataName)) }
        if let name = terms.name {
            for kind in ["codes", "labels"] { try StoredFolder.create(folder.place("\(name)_\(kind)")) }
        }
        return lock
    }

    /// This job's journal, with what jobs of other shares have left of these parts.
    private func openJournal() throws(FileError) -> TokenJournal {
        let own = JournalName(parts: parts)
        let journal = try TokenJournal(folder.place(own.text))
        for other in try journals() where other != own && other.parts.overlaps(parts) { try journal.take(from: folder.place(other.text)) }
        return journal
    }

    private func journals() throws(FileError) -> [JournalName] {
        try StoredFolder.names(in: folder.path).compactMap { JournalName($0) }
    }

    /// Tidies up and says what was done.
    private func finish(_ check: PartCheck, _ writer: PartWriter) throws(FileError) {
        for journal in try journals() where parts.contains(journal.parts.lowerBound) && journal.parts.upperBound <= parts.upperBound {
            StoredFolder.remove(folder.place(journal.text))
        }
        if parts.upperBound == terms.parts { for part in try folder.parts() where part >= terms.parts { folder.remove(part, terms) } }
        let skipped = check.skipped + writer.skipped
        if writer.copies > 0 { console.say("\(Figure.count(writer.copies, "image")) had the contents of others and took no computing") }
        guard skipped > 0 else { return }
        console.say("\(skipped) of \(Figure.count(writer.total, "image")) could not be used: they are listed in \(folder.path)/skipped-*.jsonl")
        if terms.format == .llamagen {
            console.say(
                "their numbers are missing, which LlamaGen's own loader does not expect: remove or mend them and repeat the command, which keeps all other tokens"
            )
        }
    }
}

/// The hidden file of a job that has parts to do.
private struct JournalName: Equatable {
    let parts: Range<Int>

    init(parts: Range<Int>) {
        self.parts = parts
    }

    init?(_ text: String) {
        let words = text.split(separator: "-", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == ".journal", let first = Int(words[1]), let end = Int(words[2]), first < end else { return nil }
        parts = first..<end
    }

    var text: String { ".journal-\(parts.lowerBound)-\(parts.upperBound)" }
}
