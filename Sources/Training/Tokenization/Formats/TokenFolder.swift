import Files

/// A folder of tokens: `metadata.json`, and for each part its files, an index, and where pictures could not be used a list of those.
struct TokenFolder {
    let path: String

    static let metadataName = "metadata.json"
    private static let indexPrefix = "index-", indexEnding = ".json"

    func place(_ name: String) -> String { "\(path)/\(name)" }

    func terms() throws(FileError) -> TokenTerms {
        let terms = try JSONFile.read(TokenTerms.self, from: place(Self.metadataName))
        guard terms.picturesPerFile >= 1, terms.pictures >= 0, terms.viewsPerPicture == terms.views.count, terms.codebookSize >= 1,
            terms.name?.contains("/") != true
        else { throw FileError(place(Self.metadataName), "is damaged: its numbers are impossible") }
        return terms
    }

    /// The numbers of the parts that are there, in order.
    func parts() throws(FileError) -> [Int] {
        try StoredFolder.names(in: path).compactMap { name in
            guard name.hasPrefix(Self.indexPrefix), name.hasSuffix(Self.indexEnding) else { return nil }
            return Int(name.dropFirst(Self.indexPrefix.count).dropLast(Self.indexEnding.count))
        }.sorted()
    }

    func index(_ part: Int) throws(FileError) -> PartIndex {
        try JSONFile.read(PartIndex.self, from: place(Self.indexName(part)))
    }

    func hasIndex(_ part: Int) -> Bool { StoredFile.exists(place(Self.indexName(part))) }

    /// - Throws: when a file is missing or shorter than the index says, which is seen without reading it.
    func checkSizes(_ index: PartIndex, _ terms: TokenTerms) throws(FileError) {
        var bytes = 0
        let names = terms.format.fileNames(index.part, index.usable, terms)
        for name in names { bytes += try ReadableFile(place(name)).count }
        guard bytes == index.contents.bytes else {
            let what = names.count == 1 ? place(names[0]) : "\(place(names[0])) and those up to \(names[names.count - 1])"
            let state = bytes < index.contents.bytes ? "truncated" : "not what was written"
            throw FileError(path: path, reason: "\(what): \(state), \(bytes) bytes of \(index.contents.bytes)")
        }
    }

    /// The tokens of a part's usable pictures.
    /// - Throws: when a file is missing or is not what was written.
    func tokens(_ index: PartIndex, _ terms: TokenTerms) throws(FileError) -> [[Int32]] {
        try checkSizes(index, terms)
        let names = terms.format.fileNames(index.part, index.usable, terms)
        let files = try names.map { name throws(FileError) in (path: place(name), bytes: try StoredFile.read(place(name), maximumBytes: 1 << 34)) }
        guard FileDigest(contents: files.count == 1 ? files[0].bytes : files.flatMap(\.bytes)) == index.contents else {
            let what = names.count == 1 ? place(names[0]) : "a file of \(place(names[0])) to \(names[names.count - 1])"
            throw FileError(path: path, reason: "\(what) was changed: its SHA-256 is not the index's")
        }
        return try terms.format.tokens(in: files, index.usable, terms)
    }

    /// Writes a part, its index last: a part with an index is whole.
    func write(_ part: Int, _ rows: [TokenRow], of pictures: [PictureEntry], _ terms: TokenTerms) throws(FileError) {
        let before = (try? index(part)).map { terms.format.fileNames(part, $0.usable, terms) } ?? []
        let files = terms.format.files(part, rows, terms)
        // Thousands of small ones would wait for the disk thousands of times; what a power failure takes of them, the digest shows.
        for file in files { try StoredFile.write(file.bytes, to: place(file.name), files.count == 1 ? .synced : .relaxed) }
        for name in Set(before).subtracting(files.map(\.name)) { StoredFolder.remove(place(name)) }
        try list(pictures.filter { !$0.isUsable }, part)
        let digest = FileDigest(contents: files.count == 1 ? files[0].bytes : files.flatMap(\.bytes))
        let index = PartIndex(part: part, fingerprint: terms.fingerprint, contents: digest, pictures: pictures)
        try StoredFile.write(JSONFile.bytes(index), to: place(Self.indexName(part)))
    }

    /// Removes a part of which there are no pictures any more.
    func remove(_ part: Int, _ terms: TokenTerms) {
        if let index = try? index(part) { for name in terms.format.fileNames(part, index.usable, terms) { StoredFolder.remove(place(name)) } }
        for name in [Self.indexName(part), Self.skippedName(part), Self.stampName(part)] { StoredFolder.remove(place(name)) }
    }

    private func list(_ skipped: [PictureEntry], _ part: Int) throws(FileError) {
        let path = place(Self.skippedName(part))
        guard !skipped.isEmpty else { return StoredFolder.remove(path) }
        let lines = skipped.flatMap { JSONFile.bytes($0, isPretty: false) + [UInt8(ascii: "\n")] }
        try StoredFile.write(lines, to: path)
    }

    private static func indexName(_ part: Int) -> String { indexPrefix + PictureEntry.padded(part, 5) + indexEnding }
    private static func skippedName(_ part: Int) -> String { "skipped-\(PictureEntry.padded(part, 5)).jsonl" }
    private static func stampName(_ part: Int) -> String { ".stamp-\(PictureEntry.padded(part, 5))" }

    /// What the pictures' files looked like when the part was found to be theirs; see ``ImageSource/stamp(of:)``. It is of this machine's
    /// file system and no part of the result.
    func stamp(_ part: Int) -> String? {
        (try? StoredFile.read(place(Self.stampName(part)), maximumBytes: 1 << 10)).map { String(decoding: $0, as: UTF8.self) }
    }

    func setStamp(_ stamp: String, _ part: Int) throws(FileError) {
        try StoredFile.write(Array(stamp.utf8), to: place(Self.stampName(part)), .relaxed)
    }
}
