import Compute
import Files
import Images

/// Pictures in a fixed order, wherever they lie: PNG and JPEG files in a folder, in tar shards, or named by a list.
///
/// Only names and sizes are held; a picture's bytes are read when they are asked for.
package struct ImageSource: Sendable {
    /// What was named.
    package let path: String
    /// A number that changes when a picture is added, removed, renamed, moved, or changes its size.
    package let signature: UInt64
    /// What was found and not taken for pictures although it may hold some, a line each.
    package let remarks: [String]
    /// How many pictures there are in formats that are not read, by the format's name; ``remarks`` say so, too.
    package let unread: [String: Int]
    /// The folder or archive that names are relative to.
    private let root: String
    private let entries: [ImageListing.Entry]
    /// More than any picture has.
    private static let maximumBytes = 1 << 30

    /// - Parameter path: one of
    ///   - a folder, searched to the bottom: its pictures and those in its tar files, in byte order of the paths;
    ///   - a `.tar` file, as WebDataset writes them: its pictures in the archive's order;
    ///   - a text file with the path of a picture, a `.tar` file or a folder on each line, relative to the list's own folder; empty lines
    ///     and those that begin with # say nothing.
    ///
    ///   Of a damaged archive in a folder or list, the pictures before the damage count, and a remark says so.
    /// - Throws: when nothing can be read there, `path` is a damaged archive, or there is no picture at all.
    package init(_ path: String) throws(FileError) {
        let listing = try ImageListing(path)
        (root, entries, remarks, unread) = (listing.root, listing.entries, listing.remarks, listing.unread)
        guard !entries.isEmpty else {
            throw FileError(path: path, reason: (["\(path) holds no PNG or JPEG files"] + remarks).joined(separator: "; "))
        }
        self.path = path
        signature = RandomSource.stream(named: entries.lazy.map { "\($0.name)\n\($0.bytes)\n" }.joined())
    }

    package var count: Int { entries.count }

    /// The picture's path below the folder, as the list has it, or in the archive; for an archive's member in a folder or list, the
    /// archive's path and the member's.
    package func name(at index: Int) -> String { entries[index].name }

    /// The picture's file, as it is stored.
    /// - Throws: when it cannot be read, or an archive has changed since this value was made.
    package func bytes(at index: Int) throws(FileError) -> [UInt8] {
        switch entries[index].place {
        case .file: return try StoredFile.read(location(at: index), maximumBytes: Self.maximumBytes)
        case .member(let archive, let range):
            guard range.count <= Self.maximumBytes else {
                throw FileError(
                    path: archive, reason: "\(archive): \(name(at: index)) has \(range.count) bytes, more than the \(Self.maximumBytes) allowed here")
            }
            let file = try ReadableFile(archive)
            guard range.upperBound <= file.count else {
                throw FileError(path: archive, reason: "\(archive) has been cut short since it was opened")
            }
            return try file.read(range)
        }
    }

    /// The decoded picture.
    /// - Throws: naming the file and what is wrong with it.
    package func image(at index: Int) throws(FileError) -> RGBImage {
        try image(at: index, from: bytes(at: index))
    }

    /// The picture that ``bytes(at:)`` gave.
    /// - Parameter side: of a picture that is much larger, a smaller one will do whose shorter side is at least this, see
    ///   ``ImageDecoder/decode(_:reducedTo:limits:background:)``.
    package func image(at index: Int, from bytes: [UInt8], reducedTo side: Int? = nil) throws(FileError) -> RGBImage {
        do throws(ImageError) {
            return if let side { try ImageDecoder.decode(bytes, reducedTo: side) } else { try ImageDecoder.decode(bytes) }
        } catch {
            let path = location(at: index)
            throw FileError(path: path, reason: "\(path): \(error)")
        }
    }

    /// Changes whenever one of these pictures, or an archive that holds one, is written to or replaced, and at times when it was only
    /// moved or copied. Nothing is read for it.
    package func stamp(of range: Range<Int>) -> String {
        let stamps = entries[range].lazy.map { "\($0.stamp.inode) \($0.stamp.changed)\n" }
        return String(RandomSource.stream(named: stamps.joined()), radix: 16)
    }

    private func location(at index: Int) -> String { ImageListing.path(entries[index].name, in: root) }
}
