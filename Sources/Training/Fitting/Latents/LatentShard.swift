import Compute
import Files
import Pictures

/// The latents of a run of images on their way into one file.
///
/// What is there so far is saved under a name with the number of images in it and replaced later, so that the finished file is the same
/// however often the extraction was interrupted.
struct LatentShard {
    /// All images that shall be in the file.
    private let images: Range<Int>
    private let number: Int
    private let width: Int
    private let precision: SafetensorsWriter.Precision
    /// How many of ``images`` were read or found unreadable.
    private(set) var doneImages = 0
    private var savedImages = 0
    private var latents: [Float] = []
    private var pictures = PictureRecord(stamp: "")
    private var entries: [LatentImage] = []

    /// Starts with what `manifest` has of these images.
    /// - Throws: when that cannot be read.
    init(_ images: Range<Int>, number: Int, of manifest: LatentStore.Manifest, in directory: String) throws(FileError) {
        (self.images, self.number) = (images, number)
        (width, precision) = (manifest.description.latentShape.count, manifest.description.precision)
        guard let saved = manifest.shards.first(where: { $0.firstImage == images.lowerBound }) else { return }
        (doneImages, savedImages, pictures, entries) = (saved.imageCount, saved.imageCount, saved.pictures, saved.images ?? [])
        // A complete file is not touched again.
        if doneImages < images.count && saved.rows > 0 {
            latents = try SafetensorsFile("\(directory)/\(saved.name)").tensor(LatentStore.tensorName).values
        }
        guard (1...images.count).contains(saved.imageCount), latents.count % width == 0 else {
            throw FileError(
                path: directory, reason: "\(directory)/\(LatentStore.manifestName) is damaged: \(saved.name) cannot hold \(saved.imageCount) images")
        }
    }

    var isComplete: Bool { doneImages == images.count }
    var firstImage: Int { images.lowerBound }
    /// Those that are done.
    private var done: Range<Int> { images.prefix(doneImages) }

    /// Up to `count` images that are still to do.
    func next(_ count: Int) -> Range<Int> {
        let start = images.lowerBound + doneImages
        return start..<min(start + count, images.upperBound)
    }

    /// - Parameters:
    ///   - rows: of as many of the next images as could be read.
    ///   - images: all of these images, with the digests of their files; nil for one that is not there.
    mutating func append(_ rows: [Float], _ images: [(digest: FileDigest?, entry: LatentImage)]) {
        latents += rows
        for image in images { pictures.add(image.digest) }
        entries += images.map(\.entry)
        doneImages += images.count
    }

    /// Writes what is there, notes it down, and removes the file that it replaces.
    /// - Throws: when the disk is full or fails; then the earlier file is still there and noted down.
    mutating func save(to manifest: inout LatentStore.Manifest, from source: ImageSource, in directory: String) throws(FileError) {
        guard doneImages > savedImages else { return }
        let path = "\(directory)/\(name)"
        let rows = latents.count / width
        try SafetensorsWriter.write([(LatentStore.tensorName, Tensor(latents, shape: [rows, width]))], precision: precision, to: path)
        pictures.stamp = source.stamp(of: done)
        let record = LatentStore.Shard(
            name: name, firstImage: images.lowerBound, imageCount: doneImages, rows: rows, digest: try FileDigest(of: path), pictures: pictures,
            images: entries)
        let replaced = manifest.shards.first { $0.firstImage == images.lowerBound }
        manifest.shards.removeAll { $0 == replaced }
        manifest.shards.insert(record, at: manifest.shards.firstIndex { $0.firstImage > images.lowerBound } ?? manifest.shards.count)
        try manifest.write(to: directory)
        if let replaced { StoredFolder.remove("\(directory)/\(replaced.name)") }
        savedImages = doneImages
    }

    private var name: String {
        let digits = String(number)
        let ordinal = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return "\(Self.namePrefix)\(ordinal)\(isComplete ? "" : "-\(doneImages)")\(Self.nameSuffix)"
    }

    private static let namePrefix = "latents-", nameSuffix = ".safetensors"

    /// Whether a file of that name is one of these.
    static func isName(_ name: String) -> Bool {
        name.hasPrefix(namePrefix) && name.hasSuffix(nameSuffix)
            && name.dropFirst(namePrefix.count).dropLast(nameSuffix.count).allSatisfy { ("0"..."9").contains($0) || $0 == "-" }
    }
}

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
