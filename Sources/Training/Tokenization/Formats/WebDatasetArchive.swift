import Files
import Pictures

/// A tar archive as WebDataset reads it: for each picture `KEY.json` and `KEY.npy`, one after the other; the array is [T], or with several
/// views [views, T].
enum WebDatasetArchive {
    static func serialized(_ rows: [TokenRow], _ terms: TokenTerms) -> [UInt8] {
        var archive = TarWriter()
        let type = terms.format.elementType(terms.codebookSize)
        for row in rows {
            let views = terms.viewsPerPicture
            let shape = views == 1 ? [row.tokens.count] : [views, row.tokens.count / views]
            archive.add(JSONFile.bytes(RowDocument(row, terms, hasTokens: false), isPretty: false), named: row.picture.key + ".json")
            archive.add(NumPyArray(row.tokens, as: type, shape: shape).serialized(), named: row.picture.key + arrayEnding)
        }
        return archive.finished()
    }

    static func tokens(in bytes: [UInt8], of pictures: [PictureEntry], _ path: String) throws(FileError) -> [[Int32]] {
        let arrays = try TarArchive(path).members.filter { $0.name.hasSuffix(arrayEnding) && $0.range.upperBound <= bytes.count }
        guard arrays.map(\.name) == pictures.map({ $0.key + arrayEnding }) else {
            throw FileError(path, "does not hold the pictures that its index lists")
        }
        return try arrays.map { member throws(FileError) in try NumPyArray.tokens(in: Array(bytes[member.range]), "\(path)/\(member.name)") }
    }

    private static let arrayEnding = ".npy"
}
