import Foundation
import Testing

@testable import Compute
@testable import Files
@testable import Networks
@testable import TokenizerCore

@Suite struct SafetensorsTests {
    private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/revq-\(UUID().uuidString).safetensors"
        try StoredFile.write(bytes, to: path, .relaxed)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func file(_ header: String, data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
    }

    private static let values: [Float] = [0, -0, 1, -2.5, 65504, 1e-5, 3.140625, -1e-7]

    @Test func writesWhatItReads() throws {
        let tensor = Tensor(Self.values, shape: [2, 4])
        let path = FileManager.default.temporaryDirectory.path + "/revq-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try SafetensorsWriter.write([("a.b", tensor), ("c", Tensor([7], shape: [1]))], to: path)
        let read = try SafetensorsFile(path)
        #expect(read.names == ["a.b", "c"])
        #expect(try read.tensor("a.b").values == Self.values)
        #expect(try read.tensor("a.b").shape == [2, 4])
        try SafetensorsWriter.write([("a", tensor)], precision: .float16, to: path)
        #expect(try SafetensorsFile(path).tensor("a").values == Self.values.map { Float(Float16($0)) })
    }

    @Test func readsHalfAndBrainFloats() throws {
        let bits: [UInt16] = [0x3f80, 0xc020, 0x0000, 0x7f7f]
        let bytes = bits.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let header = #"{"__metadata__":{"format":"pt"},"x":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}"#
        try withFile(file(header, data: bytes)) { path in
            let values = try SafetensorsFile(path).tensor("x").values
            #expect(values == [1, -2.5, 0, Float(bitPattern: 0x7f7f_0000)])
        }
    }

    @Test(arguments: [
        (#"{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "needs 12 bytes"),
        (#"{"x":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, "truncated"),
        (#"{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "impossible shape"),
        (#"{"x":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8]}}"#, "impossible shape"),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "gaps"),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "after its last tensor"),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "overlap"),
        (#"{"x":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, "header is not readable"),
        (#"{"x":{"shape":[2],"data_offsets":[0,8]}}"#, "x: dtype is missing"),
        (#"{"x":"#, "header is not readable"),
    ])
    func refusesAHeaderThatDoesNotDescribeTheFile(_ header: String, _ reason: String) throws {
        try withFile(file(header, data: Array(repeating: 0, count: 8))) { path in
            do throws(FileError) {
                _ = try SafetensorsFile(path)
                Issue.record("accepted \(header)")
            } catch {
                #expect(error.reason.contains(reason), "\(error)")
            }
        }
    }

    @Test func everyTruncationIsAnError() throws {
        let whole = file(#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: Array(repeating: 1, count: 8))
        for count in 0..<whole.count {
            try withFile(Array(whole[..<count])) { path in
                #expect(throws: FileError.self) { _ = try SafetensorsFile(path) }
            }
        }
    }

    @Test func numbersBeyondHalfPrecisionAreRefused() throws {
        let path = "/tmp/revq-test-half-\(getpid()).safetensors"
        let reason = "\(path): tensor x holds 65520.0, which is beyond fp16: write it as fp32"
        #expect(throws: FileError(path: path, reason: reason)) {
            try SafetensorsWriter.write([("x", Tensor([65504, 65520], shape: [2]))], precision: .float16, to: path)
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test func aModelTakesExactlyItsTensors() throws {
        var norm = LatentNormalizer(placeholder: LatentShape(channels: 1, height: 1, width: 2))
        let good = [("mean", Tensor([1, 2], shape: [2])), ("std", Tensor([3, 4], shape: [2]))]
        func load(_ tensors: [(name: String, tensor: Tensor)]) throws {
            let path = FileManager.default.temporaryDirectory.path + "/revq-\(UUID().uuidString).safetensors"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try SafetensorsWriter.write(tensors, to: path)
            try norm.load(from: SafetensorsFile(path))
        }
        try load(good.map { (name: $0.0, tensor: $0.1) })
        #expect(norm.mean.values == [1, 2])
        func expect(_ reason: String, _ tensors: [(String, Tensor)]) {
            do {
                try load(tensors.map { (name: $0.0, tensor: $0.1) })
                Issue.record("accepted what should fail with \(reason)")
            } catch {
                #expect("\(error)".contains(reason), "\(error)")
            }
        }
        expect("no tensor named std", [good[0]])
        expect("no place for: extra", good + [("extra", Tensor([1], shape: [1]))])
        expect("shape [1], the configuration needs [2]", [good[0], ("std", Tensor([3], shape: [1]))])
        expect("NaN", [good[0], ("std", Tensor([3, .nan], shape: [2]))])
    }
}
