import TestSupport
import Testing

@testable import Compute
@testable import Files
@testable import Fitting

/// Archives put together here say things that `torch.save` would not.
@Suite struct PyTorchFileTests {
    @Test func tensorsAreReadInEveryPrecisionAndOrder() throws {
        let values: [Float] = [1, -2, 0.5, 4, 5, 6]
        for (type, bytes) in [
            ("Float", values.flatMap { TorchArchive.bytes($0) }), ("Double", values.flatMap { TorchArchive.bytes(Double($0)) }),
            ("Half", values.flatMap { TorchArchive.bytes(Float16($0)) }),
            ("BFloat16", values.flatMap { TorchArchive.bytes(UInt16($0.bitPattern >> 16)) }),
        ] {
            let row = try tensor(type, count: 6, shape: [2, 3], strides: [3, 1], bytes)
            #expect(row.shape == [2, 3] && row.values == values)
            #expect(try tensor(type, count: 6, shape: [3, 2], strides: [1, 3], bytes).values == [1, 4, -2, 5, 0.5, 6])
            #expect(try tensor(type, count: 6, offset: 2, shape: [2], strides: [2], bytes).values == [0.5, 5])
        }
    }

    @Test func claimsThatTheArchiveDoesNotKeepAreRefused() throws {
        let bytes = [UInt8](repeating: 0, count: 24)
        for (type, count, shape) in [
            ("Float", 7, [6]), ("Float", Int.max, [6]), ("Float", 1 << 62, [1 << 40]), ("Double", 6, [6]), ("Byte", 23, [6]),
        ] {
            let error = #expect(throws: FileError.self) { try tensor(type, count: count, shape: shape, strides: [1], bytes) }
            #expect(error!.reason.contains("is damaged: tensor x needs \(count) numbers of"))
        }
        // Nothing at all, in extents whose product from the right would overflow.
        #expect(try tensor("Float", count: 6, shape: [0, 6, 1 << 31, 1 << 31], strides: [1, 1, 1, 1], bytes).count == 0)
        let integers = #expect(throws: FileError.self) { try tensor("Long", count: 3, shape: [3], strides: [1], bytes) }
        #expect(integers!.reason.hasSuffix("tensor x holds integers (Long), floats were expected"))
    }

    @Test func theFormatBeforeZipIsNamed() throws {
        let path = Fixture.path("published/old.pth")
        let reason = "\(path) has the format that torch.save wrote before PyTorch 1.6: load it there and save it again with torch.save"
        #expect(throws: FileError(path: path, reason: reason)) { try PyTorchFile(path) }
    }

    @Test func otherArchivesAreRefused() throws {
        for (entries, reason) in [
            (
                [("a/data.pkl", Array("N.".utf8)), ("b/data.pkl", Array("N.".utf8))],
                "was not written by torch.save: it has 2 pickles named data.pkl, not one"
            ),
            ([("x", [1])], "was not written by torch.save: it has 0 pickles named data.pkl, not one"),
            (
                [("a/data.pkl", Array("N.".utf8)), ("a/byteorder", Array("big".utf8))],
                "was written on a big-endian machine; little-endian files are read"
            ),
            ([("a/data.pkl", Array("N.".utf8))], "holds no dictionary of tensors"),
        ] as [([(String, [UInt8])], String)] {
            let error = #expect(throws: FileError.self) { try open(entries) { try $0.tensors() } }
            #expect(error!.reason.hasSuffix(reason))
        }
    }

    @Test func namesFromInsideAWrapperLoseIt() throws {
        let value = TorchArchive.tensor("Float", count: 1, shape: [1], strides: [1])
        let pickle = TorchArchive.pickle(TorchArchive.dictionary([("module.x", value)]))
        let entries = [("a/data.pkl", pickle), ("a/data/0", TorchArchive.bytes(Float(7)))]
        let tensor = try open(entries) { try $0.tensors().tensor("x") }
        #expect(tensor.values == [7])
    }

    private func tensor(_ type: String, count: Int, offset: Int = 0, shape: [Int], strides: [Int], _ bytes: [UInt8]) throws -> Tensor {
        let value = TorchArchive.tensor(type, count: count, offset: offset, shape: shape, strides: strides)
        let pickle = TorchArchive.pickle(TorchArchive.dictionary([("x", value)]))
        return try open([("a/data.pkl", pickle), ("a/data/0", bytes)]) { try $0.tensors().tensor("x") }
    }

    private func open<R>(_ entries: [(String, [UInt8])], _ body: (PyTorchFile) throws -> R) throws -> R {
        try withScratchFolder { folder in
            try StoredFile.write(TorchArchive.zip(entries), to: folder + "/x.pth")
            return try body(PyTorchFile(folder + "/x.pth"))
        }
    }
}
