import Files

/// Which pictures a file of latents was made from, so that a picture put in another's place is noticed although it has its name and size.
///
/// Reading millions of pictures again whenever an extraction goes on would take hours. So ``stamp`` is compared first, which costs what
/// listing the folder costs anyway; only where it differs are the pictures read, and ``sha256`` decides. Files that were merely copied or
/// moved cost one reading, and no latents.
struct PictureRecord: Codable, Equatable {
    /// See ``ImageSource/stamp(of:)``.
    var stamp: String
    /// Of the pictures' own SHA-256s, each joined to that of all before it: it grows with the file.
    private(set) var sha256 = ""

    init(stamp: String) {
        self.stamp = stamp
    }

    /// Takes the next picture into account.
    /// - Parameter bytes: nil when it could not be read.
    mutating func add(_ bytes: FileDigest?) {
        sha256 = FileDigest(contents: Array("\(sha256)\n\(bytes?.sha256 ?? "unreadable")".utf8)).sha256
    }
}
