import TestSupport
import Testing

@testable import Files

@Suite struct NumPyArrayTests {
    @Test func writesWhatItReads() throws {
        let array = NumPyArray([1, -2, 300_000, .max], shape: [2, 2])
        let bytes = array.serialized()
        #expect(bytes.count == 128 + 16, "NumPy pads the header to a multiple of 64")
        let read = try NumPyArray(parsing: bytes)
        #expect(read == array)
        #expect(read.integers == [1, -2, 300_000, Int64(Int32.max)])
    }

    @Test(
        arguments: [
            (NumPyArray.ElementType.uint8, [0, 255]), (.uint16, [0, 65_535]), (.uint32, [0, .max]), (.int32, [.min, .max]), (.int64, [.min, .max]),
        ] as [(NumPyArray.ElementType, [Int32])])
    func integersAreStoredInAnyTypeThatHoldsThem(type: NumPyArray.ElementType, values: [Int32]) throws {
        let read = try NumPyArray(parsing: NumPyArray(values, as: type, shape: [1, 2]).serialized())
        #expect(read.type == type && read.shape == [1, 2] && read.integers == values.map { Int64($0) })
        #expect(NumPyArray(read.data + [7], as: type).integers == (type == .uint8 ? values + [7] : values).map { Int64($0) })
    }

    @Test func readsWhatNumPyWrote() throws {
        #expect(try Fixture.array("revq/indices.npy").type == .int64)
        #expect(try Fixture.array("dcae_in/a64_image_u8.npy").shape == [1, 3, 64, 64])
    }

    @Test("Integers of every size and byte order are read", arguments: ["<", ">"])
    func readsEveryIntegerType(order: Character) throws {
        for (kind, bytes, value) in [
            ("i", 1, -2), ("u", 1, 200), ("i", 2, -300), ("u", 2, 65_000), ("i", 4, -70_000), ("u", 4, 4_000_000_000), ("i", 8, .min), ("u", 8, .max),
        ] as [(String, Int, Int64)] {
            let name = "\(bytes == 1 ? "|" : order)\(kind)\(bytes)"
            let little = (0..<bytes).map { UInt8(truncatingIfNeeded: value >> Int64(8 * $0)) }
            let header = "{'descr': '\(name)', 'fortran_order': False, 'shape': (1,), }"
            let file = NumPyArray.magic + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + (order == "<" ? little : little.reversed())
            let array = try NumPyArray(parsing: file)
            #expect(array.integers == [value], "\(name)")
            #expect(try NumPyArray(parsing: array.serialized()) == array)
        }
    }

    @Test func everyTruncationAndForeignHeaderIsAnError() {
        let bytes = NumPyArray([1, 2, 3], shape: [3]).serialized()
        for count in 0..<bytes.count {
            #expect(throws: NumPyArray.FormatError.self) { _ = try NumPyArray(parsing: Array(bytes[..<count])) }
        }
        let changes = [
            ("<i4", "<f8"), ("<i4", "<c8"), ("<i4", "=i4"), ("<i4", "<i3"), ("False", "True "), ("(3,)", "(4,)"), ("(3,)", "(-3)"),
            ("(3,)", "(99999999999999999999,)"),
            ("'shape'", "'shade'"), ("(3,)", "3   "),
        ]
        for (from, to) in changes {
            let text = String(decoding: bytes[10..<128], as: UTF8.self)
            let forged = Array(bytes[..<10]) + Array(text.replacing(from, with: to).utf8) + Array(bytes[128...])
            #expect(throws: NumPyArray.FormatError.self, "\(from) → \(to)") { _ = try NumPyArray(parsing: forged) }
        }
    }

    /// Searching text of such characters takes time that grows with the square of its length.
    @Test func aHeaderThatIsNotShortASCIIIsRefusedUnread() {
        let text = "{'fortran" + String(repeating: "\u{1F1E6}", count: 60_000) + "'}"
        for header in [Array(text.utf8), [UInt8](repeating: 32, count: 5000)] {
            let length = withUnsafeBytes(of: UInt32(header.count).littleEndian) { Array($0) }
            let bytes = [0x93] + Array("NUMPY".utf8) + [2, 0] + length + header
            #expect(throws: NumPyArray.FormatError(description: "the NumPy header is not at most 4096 bytes of ASCII")) {
                _ = try NumPyArray(parsing: bytes)
            }
        }
    }
}
