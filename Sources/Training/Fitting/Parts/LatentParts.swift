import Files
import Jobs
import TokenizerCore

/// The rows of a store by the part of the split that their pictures belong to.
package struct LatentParts: Sendable {
    package let split: Split
    /// Of each row, the picture it is of.
    let keys: [PictureKey]
    /// Which of its picture's squares each row is.
    private let squares: [Int]
    private let rows: [Split.Part: [Int]]
    /// What the result was made with; nil where the pictures' contents are not known.
    package let pictures: PictureParts?

    /// Of a store that an earlier version filled, the places of rows stand for the pictures' contents: the parts then are as many, but no other
    /// command agrees on them, and copies of a picture may be in several.
    init(_ manifest: LatentStore.Manifest) {
        let split = manifest.split ?? .usual
        let isKnown = manifest.shards.allSatisfy { $0.images != nil }
        if isKnown {
            let images = manifest.images
            keys = images.flatMap { image in image.key.map { Array(repeating: $0, count: image.rows) } ?? [] }
            squares = images.flatMap { 0..<$0.rows }
        } else {
            let count = manifest.shards.reduce(0) { $0 + $1.rows }
            keys = (0..<count).map { PictureKey(standingFor: "row \($0) of \(manifest.description.imagesSignature)") }
            squares = Array(repeating: 0, count: count)
        }
        self.split = split
        pictures = isKnown ? PictureParts(split, of: keys) : nil
        rows = Dictionary(grouping: keys.indices) { [keys] in split.part(of: keys[$0]) }
    }

    /// The rows of a part, in their order.
    package subscript(part: Split.Part) -> [Int] { rows[part] ?? [] }

    /// Where the rows of a part are among all, once they are ordered by parts, see ``LatentStore/load(_:)``.
    package func range(_ part: Split.Part) -> Range<Int> {
        let before = Split.Part.allCases.prefix { $0 != part }.reduce(0) { $0 + self[$1].count }
        return before..<before + self[part].count
    }

    /// The pictures of these rows.
    package func sources(_ part: Split.Part) -> [PictureKey] { self[part].map { keys[$0] } }

    /// The picture that a row is of, and which of its squares.
    func square(_ row: Int) -> (key: PictureKey, index: Int) { (keys[row], squares[row]) }

    /// One line for a person.
    package var summary: String { "split \(split): \(PictureParts(split, of: keys).summary)" }

    /// What makes these parts useless, if anything.
    var problem: String? {
        PictureParts(split, of: keys).problem.map { "\($0); use more pictures, or extract with another --split" }
    }
}
