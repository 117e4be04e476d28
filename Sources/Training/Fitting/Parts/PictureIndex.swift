import Compute
import Files
import Jobs
import Pictures
import TokenizerCore

/// The pictures of a source by their contents.
package struct PictureIndex: Sendable {
    /// Nil where the file cannot be read.
    package let keys: [PictureKey?]

    /// Pictures that are read at once.
    private static let batch = 64

    /// Reads every file, which takes as long as copying them.
    package init(_ source: ImageSource, _ console: Console) {
        var keys: [PictureKey?] = []
        console.begin(total: source.count, unit: "picture")
        for start in stride(from: 0, to: source.count, by: Self.batch) {
            let part = start..<min(start + Self.batch, source.count)
            keys += LatentExtraction.map(part) { index in (try? source.bytes(at: index)).map { PictureKey(FileDigest(contents: $0)) } }
            console.update(done: keys.count, figures: ["read"])
        }
        console.closeLine()
        self.keys = keys
    }

    /// The places of the pictures that belong to a part, in their order.
    package func places(_ part: Split.Part, of split: Split) -> [Int] {
        keys.indices.filter { index in keys[index].map { split.part(of: $0) == part } ?? false }
    }

    /// Which of the pictures something was made with, and what for.
    package func parts(_ split: Split) -> PictureParts { PictureParts(split, of: keys.lazy.compactMap { $0 }) }

    /// The places of pictures that `seen` does not have, in their order.
    package func places(besides seen: Set<PictureKey>) -> [Int] {
        keys.indices.filter { index in keys[index].map { !seen.contains($0) } ?? false }
    }

    /// At most so many of these places: a sample that depends on nothing but the pictures' contents, in the order of the places.
    package func sample(_ most: Int, of places: [Int]) -> [Int] {
        places.sorted { a, b in (keys[a]?.digits ?? "", a) < (keys[b]?.digits ?? "", b) }.prefix(most).sorted()
    }
}

extension PictureParts {
    /// How many pictures each part has, for a person.
    package var summary: String {
        "\(Figure.count(training.count, "picture")) to train on, \(choosing.count) to choose by, \(reporting.count) to report on"
    }

    /// What makes these parts useless, if anything: nothing to learn from, to choose by, or to draw an interval from.
    package var problem: String? {
        guard training.isEmpty || choosing.isEmpty || reporting.count < 2 else { return nil }
        return "too few pictures: the split \(split) deals \(summary), at least 1, 1 and 2 are needed"
    }

    /// What the contents of several folders were made with, as far as they say so; nil where none does.
    package static func joined(_ directories: [String]) throws(FileError) -> PictureParts? {
        var joined: PictureParts?
        for directory in directories {
            guard let record = try PictureParts.read(from: directory) else { continue }
            if joined == nil { joined = record } else { joined?.join(record) }
        }
        return joined
    }
}
