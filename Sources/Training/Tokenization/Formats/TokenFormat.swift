import Files

/// How tokens lie in files.
package enum TokenFormat: String, Sendable, Codable, CaseIterable {
    /// Tar archives of `key.npy` and `key.json`.
    case webdataset
    /// A tree of one NumPy array a picture, and one for its label.
    case llamagen
    /// Numbers one after the other, nothing else.
    case bin
    /// A JSON object a line.
    case jsonl

    /// What tokens are stored as, in NumPy's words; nil in text.
    func dtype(codebookSize: Int) -> String? {
        switch self {
        case .webdataset, .bin: elementType(codebookSize) == .uint16 ? "uint16" : "uint32"
        case .llamagen: "int64"
        case .jsonl: nil
        }
    }

    /// The narrower of two types that hold every token.
    func elementType(_ codebookSize: Int) -> NumPyArray.ElementType { codebookSize <= 1 << 16 ? .uint16 : .uint32 }

    /// Whether pictures may have different numbers of tokens.
    var allowsAnyLength: Bool { self != .bin }

    /// A file of a part.
    struct File {
        /// Below the folder.
        let name: String
        let bytes: [UInt8]
    }

    /// The files of part `number`, none where no picture could be used.
    func files(_ number: Int, _ rows: [TokenRow], _ terms: TokenTerms) -> [File] {
        guard !rows.isEmpty else { return [] }
        if self == .llamagen { return LlamaGenTree.files(rows, terms) }
        let bytes: [UInt8]
        switch self {
        case .webdataset: bytes = WebDatasetArchive.serialized(rows, terms)
        case .bin: bytes = elementType(terms.codebookSize).bytes(of: rows.flatMap(\.tokens))
        case .jsonl: bytes = rows.flatMap { JSONFile.bytes(RowDocument($0, terms), isPretty: false) + [UInt8(ascii: "\n")] }
        case .llamagen: preconditionFailure("a tree is no single file")
        }
        return [File(name: fileName(number), bytes: bytes)]
    }

    /// The names of those files, given the pictures that could be used.
    func fileNames(_ number: Int, _ pictures: [PictureEntry], _ terms: TokenTerms) -> [String] {
        if pictures.isEmpty { return [] }
        return self == .llamagen ? pictures.flatMap { LlamaGenTree.names($0.number, terms) } : [fileName(number)]
    }

    /// The tokens in those files, those of all views of a picture together.
    /// - Throws: naming the file that does not hold what it should.
    func tokens(in files: [(path: String, bytes: [UInt8])], _ pictures: [PictureEntry], _ terms: TokenTerms) throws(FileError) -> [[Int32]] {
        guard let (path, bytes) = files.first else { return [] }
        let rows: [[Int32]]
        switch self {
        case .llamagen: rows = try LlamaGenTree.tokens(in: files)
        case .webdataset: rows = try WebDatasetArchive.tokens(in: bytes, of: pictures, path)
        case .jsonl: rows = try bytes.split(separator: UInt8(ascii: "\n")).map { line throws(FileError) in try RowDocument.tokens(in: line, path) }
        case .bin: rows = flatTokens(bytes, terms)
        }
        guard rows.count == pictures.count else {
            throw FileError(path, "holds tokens of \(rows.count) pictures, its index lists \(pictures.count)")
        }
        return rows
    }

    private func flatTokens(_ bytes: [UInt8], _ terms: TokenTerms) -> [[Int32]] {
        let type = elementType(terms.codebookSize)
        let numbers = NumPyArray(bytes, as: type).integers!.map { Int32(truncatingIfNeeded: $0) }
        let perPicture = max(1, (terms.tokensPerView ?? 1) * terms.viewsPerPicture)
        return stride(from: 0, to: numbers.count, by: perPicture).map { Array(numbers[$0..<min($0 + perPicture, numbers.count)]) }
    }

    private func fileName(_ number: Int) -> String {
        let ending = self == .webdataset ? "tar" : rawValue
        return "tokens-\(PictureEntry.padded(number, 5)).\(ending)"
    }
}
