import Compute
import Files

/// A file that `torch.save` wrote: a zip archive of a pickle, which says what there is, and a file of numbers for every storage.
///
/// Source: PyTorch's serialization notes, version 1.6 and later.
struct PyTorchFile {
    let path: String
    private let zip: StoredZip
    /// What the names of all entries start with.
    private let prefix: String
    private let pickle: Pickle

    private static let pickleName = "data.pkl"
    /// A pickle has some 150 bytes for a tensor; one with more than this was made to hurt.
    private static let maximumPickleBytes = 8 << 20
    /// A pickle of a number that says what it is. Source: `torch/serialization.py`, `MAGIC_NUMBER`.
    private static let oldStart: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    /// - Throws: when the file is no such archive, or its pickle would build something other than tensors.
    init(_ path: String) throws(FileError) {
        self.path = path
        if try Self.isOld(path) {
            throw FileError(
                path: path, reason: "\(path) has the format that torch.save wrote before PyTorch 1.6: load it there and save it again with torch.save"
            )
        }
        zip = try StoredZip(path)
        let pickles = zip.entries.keys.filter { $0.hasSuffix("/" + Self.pickleName) }
        guard let name = pickles.first, pickles.count == 1, let entry = zip.entries[name] else {
            throw FileError(
                path: path, reason: "\(path) was not written by torch.save: it has \(pickles.count) pickles named \(Self.pickleName), not one")
        }
        prefix = String(name.dropLast(Self.pickleName.count))
        guard entry.range.count <= Self.maximumPickleBytes else {
            throw FileError(path: path, reason: "\(path) is refused: its pickle has \(entry.range.count) bytes, more than \(Self.maximumPickleBytes)")
        }
        let little = Array("little".utf8)
        if let order = zip.entries[prefix + "byteorder"] {
            let isLittle = order.range.count == little.count ? try zip.bytes(of: order) == little : false
            guard isLittle else { throw FileError(path: path, reason: "\(path) was written on a big-endian machine; little-endian files are read") }
        }
        let bytes = try zip.bytes(of: entry)
        do throws(PickleReader.Refusal) {
            pickle = try PickleReader.read(bytes)
        } catch {
            throw FileError(path: path, reason: "\(path) is refused: \(error)")
        }
    }

    /// Whether the file has the format of earlier versions: several pickles, one after the other.
    private static func isOld(_ path: String) throws(FileError) -> Bool {
        let file = try ReadableFile(path)
        guard file.count >= oldStart.count else { return false }
        return try file.read(0..<oldStart.count) == oldStart
    }

    /// The tensors of a dictionary: the file's own one, or the one that it holds under `key`.
    ///
    /// A model that was saved from inside a wrapper for several devices has `module.` in front of its names, which is dropped.
    /// - Throws: when there is no such dictionary.
    func tensors(under key: String? = nil) throws(FileError) -> PyTorchTensors {
        let root = pickle.members(of: pickle.root)
        let member = key.map { root?[$0] } ?? pickle.root
        guard let members = member.flatMap(pickle.members) else {
            throw FileError(path: path, reason: "\(path) holds no dictionary of tensors" + (key.map { " named \($0)" } ?? ""))
        }
        var tensors: [String: PickleTensor] = [:]
        for case (let name, .tensor(let tensor)) in members { tensors[name] = tensor }
        let wrapper = "module."
        if tensors.keys.allSatisfy({ $0.hasPrefix(wrapper) }) {
            tensors = Dictionary(uniqueKeysWithValues: tensors.map { (String($0.key.dropFirst(wrapper.count)), $0.value) })
        }
        return PyTorchTensors(path: path, zip: zip, prefix: prefix, tensors: tensors)
    }
}

/// The tensors of one dictionary of a ``PyTorchFile``, read when they are asked for.
struct PyTorchTensors: TensorSource {
    let path: String
    fileprivate let zip: StoredZip
    fileprivate let prefix: String
    fileprivate let tensors: [String: PickleTensor]

    var names: Set<String> { Set(tensors.keys) }

    func shape(of name: String) -> [Int]? { tensors[name]?.shape }

    func tensor(_ name: String) throws(FileError) -> Tensor {
        guard let tensor = tensors[name] else { throw FileError(path: path, reason: "\(path) has no tensor named \(name)") }
        let (storage, width) = (tensor.storage, tensor.storage.type.bytes)
        // Divided, because a claimed count may be too large to multiply.
        guard let entry = zip.entries["\(prefix)data/\(storage.key)"], entry.range.count % width == 0, entry.range.count / width == storage.count
        else {
            throw FileError(
                path: path, reason: "\(path) is damaged: tensor \(name) needs \(storage.count) numbers of \(width) bytes that are not there")
        }
        guard let format = storage.type.format else {
            throw FileError(path: path, reason: "\(path): tensor \(name) holds integers (\(storage.type.rawValue)), floats were expected")
        }
        let bytes = try zip.bytes(of: entry)
        var result = Tensor(uninitialized: tensor.shape)
        if tensor.count == 0 { return result }
        result.withMutablePointer { target in
            bytes.withUnsafeBytes { source in
                if tensor.isContiguous {
                    format.read(source, from: tensor.offset, count: tensor.count, into: target)
                } else {
                    for i in 0..<tensor.count { target[i] = format.value(in: source, at: tensor.position(ofElement: i)) }
                }
            }
        }
        return result
    }
}

extension PickleTensor {
    /// Whether its numbers lie in the order of its elements, without gaps.
    fileprivate var isContiguous: Bool {
        var expected = 1
        for (extent, stride) in zip(shape, strides).reversed() {
            if extent > 1 && stride != expected { return false }
            expected *= extent
        }
        return true
    }

    /// Where in the storage the element of that row-major number lies.
    fileprivate func position(ofElement number: Int) -> Int {
        var (rest, position) = (number, offset)
        for (extent, stride) in zip(shape, strides).reversed() {
            position += rest % extent * stride
            rest /= extent
        }
        return position
    }
}

extension PickleStorage.ElementType {
    /// Nil for integers.
    fileprivate var format: FloatFormat? {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .float64: .float64
        case .int64, .int32, .int16, .int8, .uint8, .bool: nil
        }
    }
}
