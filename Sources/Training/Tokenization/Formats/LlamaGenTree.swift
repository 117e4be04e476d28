import Files

/// The tree that LlamaGen's `CustomDataset` reads: `NAME_codes/N.npy`, int64 [1, views, T], and `NAME_labels/N.npy`, int64 [1].
///
/// Source: LlamaGen (arXiv 2406.06525), `autoregressive/train/extract_codes_c2i.py` and `dataset/imagenet.py`.
enum LlamaGenTree {
    /// Of the codes, and of the label.
    static func names(_ number: Int, _ terms: TokenTerms) -> [String] {
        let name = terms.name ?? ""
        return ["\(name)_codes/\(number).npy", "\(name)_labels/\(number).npy"]
    }

    static func files(_ rows: [TokenRow], _ terms: TokenTerms) -> [TokenFormat.File] {
        rows.flatMap { row in
            let codes = NumPyArray(row.tokens, as: .int64, shape: [1, terms.viewsPerPicture, row.tokens.count / terms.viewsPerPicture])
            let label = NumPyArray([Int32(row.picture.label ?? 0)], as: .int64, shape: [1])
            return zip(names(row.picture.number, terms), [codes, label]).map { TokenFormat.File(name: $0, bytes: $1.serialized()) }
        }
    }

    /// Of every other file: labels are passed over.
    static func tokens(in files: [(path: String, bytes: [UInt8])]) throws(FileError) -> [[Int32]] {
        try stride(from: 0, to: files.count, by: 2).map { index throws(FileError) in try NumPyArray.tokens(in: files[index].bytes, files[index].path)
        }
    }
}

extension NumPyArray {
    /// The tokens in a file, or a member, of that name.
    static func tokens(in bytes: [UInt8], _ path: String) throws(FileError) -> [Int32] {
        let array: NumPyArray
        do throws(FormatError) {
            array = try NumPyArray(parsing: bytes)
        } catch {
            throw FileError(path, error.description)
        }
        guard let numbers = array.integers, numbers.allSatisfy({ 0...Int64(Int32.max) ~= $0 }) else { throw FileError(path, "holds no tokens") }
        return numbers.map { Int32($0) }
    }
}
