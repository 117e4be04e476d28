import Compute
import Files
import Glibc

/// What a decoder was found to feel, in the folder of a run: measuring it takes minutes, and a run may be resumed often.
struct KeptSensitivity {
    private let path: String
    private static let fileName = "sensitivity.safetensors", tensorName = "gram"

    init(in directory: String) {
        path = "\(directory)/\(Self.fileName)"
    }

    /// See ``DecoderSensitivity/gram``; nil before it was measured.
    /// - Parameter n: elements of the box.
    /// - Throws: when the file is damaged, of another shape, or holds what is no number.
    func read(elements n: Int) throws(FileError) -> SymmetricMatrix? {
        guard access(path, F_OK) == 0 else { return nil }
        let gram = try SafetensorsFile(path).tensor(Self.tensorName, shape: [n, n])
        return SymmetricMatrix(gram.values.map { Double($0) }, n: n)
    }

    func write(_ gram: SymmetricMatrix) throws(FileError) {
        try SafetensorsWriter.write([(Self.tensorName, Tensor(gram.values.map { Float($0) }, shape: [gram.n, gram.n]))], to: path)
    }
}
