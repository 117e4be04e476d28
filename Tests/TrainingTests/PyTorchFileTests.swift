import TokenizerCore
import Testing

@testable import Training

/// Archives put together here say things that `torch.save` would not.
@Suite struct PyTorchFileTests {
    @Test func tensorsAreReadInEveryPrecisionAndOrder() throws {
        let values: [Float] = [1, -2, 0.5, 4, 5, 6]
        for (type, bytes) in [
            ("Float", values.flatMap { Self.bytes($0) }), ("Double", values.flatMap { Self.bytes(Double($0)) }),
            ("Half", values.flatMap { Self.bytes(Float16($0)) }), ("BFloat16", values.flatMap { Self.bytes(UInt16($0.bitPattern >> 16)) }),
        ] {
            let row = try tensor(type, count: 6, shape: [2, 3], strides: [3, 1], bytes)
            #expect(row.shape == [2, 3] && row.values == values)
            #expect(try tensor(type, count: 6, shape: [3, 2], strides: [1, 3], bytes).values == [1, 4, -2, 5, 0.5, 6])
            #expect(try tensor(type, count: 6, offset: 2, shape: [2], strides: [2], bytes).values == [0.5, 5])
        }
    }

    @Test func claimsThatTheArchiveDoesNotKeepAreRefused() throws {
        let bytes = [UInt8](repeating: 0, count: 24)
        for (type, count, shape) in [("Float", 7, [6]), ("Float", Int.max, [6]), ("Float", 1 << 62, [1 << 40]), ("Double", 6, [6]), ("Byte", 23, [6])] {
            let error = #expect(throws: FileError.self) { try tensor(type, count: count, shape: shape, strides: [1], bytes) }
            #expect(error!.reason.contains("is damaged: tensor x needs \(count) numbers of"))
        }
        // Nothing at all, in extents whose product from the right would overflow.
        #expect(try tensor("Float", count: 6, shape: [0, 6, 1 << 31, 1 << 31], strides: [1, 1, 1, 1], bytes).count == 0)
        let integers = #expect(throws: FileError.self) { try tensor("Long", count: 3, shape: [3], strides: [1], bytes) }
        #expect(integers!.reason.hasSuffix("tensor x holds integers (Long), floats were expected"))
    }

    @Test func otherArchivesAreRefused() throws {
        for (entries, reason) in [
            ([("a/data.pkl", Array("N.".utf8)), ("b/data.pkl", Array("N.".utf8))], "was not written by torch.save: it has 2 pickles named data.pkl, not one"),
            ([("x", [1])], "was not written by torch.save: it has 0 pickles named data.pkl, not one"),
            ([("a/data.pkl", Array("N.".utf8)), ("a/byteorder", Array("big".utf8))], "was written on a big-endian machine; little-endian files are read"),
            ([("a/data.pkl", Array("N.".utf8))], "holds no dictionary of tensors"),
        ] as [([(String, [UInt8])], String)] {
            let error = #expect(throws: FileError.self) { try open(entries) { try $0.tensors() } }
            #expect(error!.reason.hasSuffix(reason))
        }
    }

    @Test func namesFromInsideAWrapperLoseIt() throws {
        let entries = [("a/data.pkl", Self.pickle("module.x", "Float", 1, 0, [1], [1])), ("a/data/0", Self.bytes(Float(7)))]
        let tensor = try open(entries) { try $0.tensors().tensor("x") }
        #expect(tensor.values == [7])
    }

    private func tensor(_ type: String, count: Int, offset: Int = 0, shape: [Int], strides: [Int], _ bytes: [UInt8]) throws -> Tensor {
        try open([("a/data.pkl", Self.pickle("x", type, count, offset, shape, strides)), ("a/data/0", bytes)]) { try $0.tensors().tensor("x") }
    }

    private func open<R>(_ entries: [(String, [UInt8])], _ body: (PyTorchFile) throws -> R) throws -> R {
        try withScratchFolder { folder in
            try StoredFile.write(Self.zip(entries), to: folder + "/x.pth")
            return try body(PyTorchFile(folder + "/x.pth"))
        }
    }

    /// `{name: tensor}`
    private static func pickle(_ name: String, _ type: String, _ count: Int, _ offset: Int, _ shape: [Int], _ strides: [Int]) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { [0x8A, 8] + bytes(value) }
        func text(_ value: String) -> [UInt8] { [0x8C, UInt8(value.utf8.count)] + Array(value.utf8) }
        func tuple(_ values: [Int]) -> [UInt8] { [UInt8(ascii: "(")] + values.flatMap(number) + [UInt8(ascii: "t")] }
        var program: [UInt8] = [0x80, 2, UInt8(ascii: "}")] + text(name) + Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
        program += text("storage") + Array("ctorch\n\(type)Storage\n".utf8) + text("0") + text("cpu") + number(count) + Array("tQ".utf8)
        program += number(offset) + tuple(shape) + tuple(strides) + [0x89] + Array("ccollections\nOrderedDict\n)RtRs.".utf8)
        return program
    }

    private static func bytes(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    /// An archive of stored entries.
    private static func zip(_ entries: [(String, [UInt8])]) -> [UInt8] {
        var (file, directory) = ([UInt8](), [UInt8]())
        for (name, data) in entries {
            let sizes = bytes(CRC32.checksum(data)) + bytes(UInt32(data.count)) + bytes(UInt32(data.count)) + bytes(UInt16(name.utf8.count))
            directory += bytes(UInt32(0x0201_4B50)) + [0, 0] + [UInt8](repeating: 0, count: 10) + sizes + [UInt8](repeating: 0, count: 12)
            directory += bytes(UInt32(file.count)) + Array(name.utf8)
            file += bytes(UInt32(0x0403_4B50)) + [UInt8](repeating: 0, count: 10) + sizes + [0, 0] + Array(name.utf8) + data
        }
        let count = bytes(UInt16(entries.count))
        return file + directory + bytes(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + count + count + bytes(UInt32(directory.count))
            + bytes(UInt32(file.count)) + [0, 0]
    }
}
