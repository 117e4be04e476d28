import Files

/// A file that a manifest lists: open, and as large as it says.
struct ListedFile {
    private let file: ReadableFile
    private let digest: FileDigest

    /// - Parameter maximumBytes: the most that it can need, whatever the manifest says.
    /// - Throws: when it has another size, which shows before anything of it is read.
    init(_ path: String, _ digest: FileDigest, atMost maximumBytes: Int) throws(FileError) {
        let file = try ReadableFile(path)
        guard file.count == digest.bytes else { throw FileError(path, "has \(file.count) bytes, the manifest says \(digest.bytes)") }
        guard file.count <= maximumBytes else { throw FileError(path, "has \(file.count) bytes, it needs no more than \(maximumBytes)") }
        (self.file, self.digest) = (file, digest)
    }

    var bytes: Int { digest.bytes }

    /// Reads all of it.
    func verify(while goesOn: () -> Bool) throws(FileError) {
        try check(FileDigest(of: file, goesOn: goesOn))
    }

    /// Its bytes in memory, which are the very ones that were found to be right.
    func copied(while goesOn: () -> Bool) throws(FileError) -> FileContents {
        let contents = try FileContents(copying: file, goesOn: goesOn)
        try check(FileDigest(of: contents, goesOn: goesOn))
        return contents
    }

    /// Its own pages, which are right unless somebody writes into the file later.
    func mapped(while goesOn: () -> Bool) throws(FileError) -> FileContents {
        try verify(while: goesOn)
        return try FileContents(mapping: file)
    }

    private func check(_ found: FileDigest) throws(FileError) {
        guard found == digest else { throw FileError(file.path, "its SHA-256 is not the manifest's: the file was changed") }
    }
}
