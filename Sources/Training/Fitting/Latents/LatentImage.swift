import TokenizerCore

/// What the index of a store says about one picture.
package struct LatentImage: Codable, Equatable, Sendable {
    /// Its path below the folder, in the archive, or as the list has it.
    package let name: String
    /// Nil where its file could not be read.
    package let key: PictureKey?
    /// Its latents, one a square; none where it could not be decoded.
    package let rows: Int
    /// Its class, where there are such.
    package var label: String?

    init(name: String, key: PictureKey?, rows: Int, label: String?) {
        (self.name, self.key, self.rows, self.label) = (name, key, rows, label)
    }
}
