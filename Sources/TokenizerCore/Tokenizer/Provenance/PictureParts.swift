import Files

/// Which pictures something was made with, and what for: written beside it, so that whoever measures it knows what it has seen.
package struct PictureParts: Sendable, Equatable, Codable {
    package let split: Split
    /// Each in order, no key twice.
    package private(set) var training, choosing, reporting: [PictureKey]

    package static let fileName = "pictures.json"

    /// Deals pictures.
    package init(_ split: Split, of keys: some Sequence<PictureKey>) {
        self.split = split
        let parts = Dictionary(grouping: Set(keys)) { split.part(of: $0) }
        (training, choosing, reporting) = ((parts[.training] ?? []).sorted(), (parts[.choosing] ?? []).sorted(), (parts[.reporting] ?? []).sorted())
    }

    /// Adds what another step was made with: a picture that either learned from is none to choose by, and one that either chose by is none to
    /// report on.
    package mutating func join(_ other: PictureParts) {
        let learned = Set(training).union(other.training)
        let chosen = Set(choosing).union(other.choosing).subtracting(learned)
        let kept = Set(reporting).union(other.reporting).subtracting(learned).subtracting(chosen)
        (training, choosing, reporting) = (learned.sorted(), chosen.sorted(), kept.sorted())
    }

    package subscript(part: Split.Part) -> [PictureKey] {
        switch part {
        case .training: training
        case .choosing: choosing
        case .reporting: reporting
        }
    }

    /// What figures must not be measured on.
    package var seen: Set<PictureKey> { Set(training).union(choosing) }

    /// The record in a folder of results; nil where it has none, as what was made elsewhere or by earlier versions.
    package static func read(from directory: String) throws(FileError) -> PictureParts? {
        let path = "\(directory)/\(fileName)"
        guard StoredFile.exists(path) else { return nil }
        return try JSONFile.read(PictureParts.self, from: path)
    }

    package func write(to directory: String) throws(FileError) {
        try StoredFile.write(JSONFile.bytes(self, isPretty: false), to: "\(directory)/\(Self.fileName)")
    }
}
