import Testing

@testable import Fitting

@Suite struct PickleReaderTests {
    /// What `pickle.dumps(os.system, …)` and its like look like: a global, its arguments, and a call.
    @Test(arguments: [
        ("cposix\nsystem\n(X\u{4}\0\0\0true" + "tR.", "posix.system"),
        ("cbuiltins\neval\n)R.", "builtins.eval"),
        ("ctorch\nload\n)R.", "torch.load"),
        ("ctorch.jit._script\nFloatStorage\n)R.", "torch.jit._script.FloatStorage"),
        ("ctorch._utils\n_rebuild_parameter\n)R.", "torch._utils._rebuild_parameter"),
    ])
    func refusesEveryOtherFunction(program: String, name: String) {
        let reason = "the pickle names \(name), which is neither a tensor nor an OrderedDict"
        #expect(throws: PickleReader.Refusal(description: reason)) { try PickleReader.read([0x80, 2] + latin(program)) }
        // Protocol 4 takes both names from the stack.
        let parts = name.split(separator: ".")
        let (module, function) = (parts.dropLast().joined(separator: "."), String(parts.last!))
        let stacked = short(module) + short(function) + [0x93, UInt8(ascii: ".")]
        #expect(throws: PickleReader.Refusal(description: reason)) { try PickleReader.read([0x80, 4] + stacked) }
    }

    @Test(arguments: [
        // INST, OBJ, NEWOBJ, NEWOBJ_EX, EXT1, PERSID, REDUCE's other spellings; text integers; sets; DUP, POP.
        UInt8(ascii: "i"), UInt8(ascii: "o"), 0x81, 0x92, 0x82, UInt8(ascii: "P"), UInt8(ascii: "I"), UInt8(ascii: "L"), 0x8F, 0x91,
        UInt8(ascii: "2"), UInt8(ascii: "0"), 0x97, 0x98, 0xFF, 0x00,
    ])
    func refusesEveryOtherInstruction(code: UInt8) {
        let error = #expect(throws: PickleReader.Refusal.self) { try PickleReader.read([0x80, 2, UInt8(ascii: "("), code, UInt8(ascii: ".")]) }
        #expect(error?.description == "the pickle has the instruction 0x\(String(code, radix: 16)), which builds no tensors")
    }

    @Test func callsOnlyWithTheRightArguments() {
        let dictionary = "ccollections\nOrderedDict\n"
        for program in [
            dictionary + "K\u{1}\u{85}R.", dictionary + "]R.", "}" + ")R.", "ctorch._utils\n_rebuild_tensor_v2\n)R.", "ctorch\nFloatStorage\n)R.",
            "]}b.", "}]b.", "}K\u{1}b.", "NQ.", ")Q.", "X\u{7}\0\0\0storageQ.",
        ] {
            #expect(throws: PickleReader.Refusal.self, "\(program)") { try PickleReader.read([0x80, 2] + latin(program)) }
        }
    }

    @Test func everyTruncationAndEveryFlippedBitIsSurvived() throws {
        let whole = tensor(count: 8, offset: 0, shape: [2, 4], strides: [4, 1])
        _ = try PickleReader.read(whole)
        for count in 0..<whole.count { #expect(throws: PickleReader.Refusal.self) { try PickleReader.read(Array(whole.prefix(count))) } }
        for position in whole.indices {
            for bit in 0..<8 {
                var damaged = whole
                damaged[position] ^= 1 << bit
                _ = try? PickleReader.read(damaged)
            }
        }
    }

    @Test(arguments: [
        (offset: 0, shape: [3, 3], strides: [3, 1]), (1, [8], [1]), (0, [2, 4], [8, 1]), (0, [1 << 40], [1]), (0, [1 << 31, 1 << 31, 4], [0, 0, 0]),
        (0, [8, 8], [0, 1]), (0, [2], [Int.max]), (Int.max, [2], [1]), (-1, [2], [1]), (0, [-2], [1]), (0, [2], [-1]), (0, [2, 2], [1]),
        (8, [1], [1]),
        (0, Array(repeating: 1, count: 17), Array(repeating: 1, count: 17)),
    ])
    func viewsOutsideTheirStorageAreRefused(offset: Int, shape: [Int], strides: [Int]) {
        let storage = PickleStorage(type: .float32, key: "0", count: 8)
        #expect(PickleTensor(storage, offset: offset, shape: shape, strides: strides) == nil)
    }

    @Test func viewsInsideTheirStorageAreTaken() throws {
        let storage = PickleStorage(type: .float32, key: "0", count: 8)
        for (offset, shape, strides) in [(0, [2, 4], [4, 1]), (0, [4, 2], [1, 4]), (7, [], []), (8, [0], [1]), (2, [1, 6], [99, 1])] {
            #expect(PickleTensor(storage, offset: offset, shape: shape, strides: strides) != nil)
        }
        let pickle = try PickleReader.read(tensor(count: 8, offset: 0, shape: [2, 4], strides: [4, 1]))
        #expect(pickle.root == .tensor(try #require(PickleTensor(storage, offset: 0, shape: [2, 4], strides: [4, 1]))))
        let wrong = tensor(count: 8, offset: 0, shape: [200, 200], strides: [200, 1])
        let reason = "the pickle has a tensor of shape [200, 200] and strides [200, 1] at 0, outside its storage of 8 numbers"
        #expect(throws: PickleReader.Refusal(description: reason)) { try PickleReader.read(wrong) }
    }

    @Test func bombsStaySmall() throws {
        // A million nested tuples: whoever nests their values dies when they are freed.
        let depth = 1_000_000
        var pickle = try PickleReader.read([0x80, 2, UInt8(ascii: ")")] + [UInt8](repeating: 0x85, count: depth) + [UInt8(ascii: ".")])
        #expect(pickle.containers.count == depth + 1)
        // A list in itself, and lists of two references to the one before: 2^1000 values to whoever follows them all.
        let laughs = (0..<1000).flatMap { _ in latin("h\u{0}h\u{0}\u{86}q\u{0}") }
        pickle = try PickleReader.read([0x80, 2] + latin("]q\u{0}h\u{0}a") + laughs + [UInt8(ascii: ".")])
        #expect(pickle.containers.count == 1001)
        // A long list, an item at a time.
        let items = (0..<200_000).flatMap { _ in Array("Na".utf8) }
        pickle = try PickleReader.read([0x80, 2, UInt8(ascii: "]")] + items + [UInt8(ascii: ".")])
        #expect(pickle.containers.count == 1)
        // Lengths that are not there.
        for program in ["X\u{7F}\u{7F}\u{7F}\u{7F}a.", "\u{8D}........", "j\u{7F}\u{7F}\u{7F}\u{7F}."] {
            #expect(throws: PickleReader.Refusal.self) { try PickleReader.read([0x80, 2] + latin(program)) }
        }
    }

    @Test func numbersAreReadAsPythonWritesThem() throws {
        // pickle.dumps((1, 300, -5, 70000, 2**40, -2**40, 0.5, True, None, "ä"), 2)
        let bytes: [UInt8] = [
            0x80, 2, 0x28, 0x4B, 1, 0x4D, 44, 1, 0x4A, 0xFB, 0xFF, 0xFF, 0xFF, 0x4A, 0x70, 0x11, 1, 0, 0x8A, 6, 0, 0, 0, 0, 0, 1, 0x8A, 6, 0, 0, 0, 0,
            0, 0xFF,
            0x47, 0x3F, 0xE0, 0, 0, 0, 0, 0, 0, 0x88, 0x4E, 0x58, 2, 0, 0, 0, 0xC3, 0xA4, 0x71, 0, 0x74, 0x71, 1, 0x2E,
        ]
        let pickle = try PickleReader.read(bytes)
        guard case .tuple(let place) = pickle.root, case .items(let items) = pickle.containers[place] else {
            Issue.record("not a tuple")
            return
        }
        #expect(items == [.int(1), .int(300), .int(-5), .int(70000), .int(1 << 40), .int(-1 << 40), .double(0.5), .bool(true), .none, .string("ä")])
    }

    /// Text with a byte for each character.
    private func latin(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

    private func short(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }

    /// The program with which PyTorch rebuilds one tensor, protocol 2, without memo.
    private func tensor(count: Int, offset: Int, shape: [Int], strides: [Int]) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { [UInt8(ascii: "J")] + withUnsafeBytes(of: Int32(value).littleEndian) { Array($0) } }
        func text(_ value: String) -> [UInt8] { [UInt8(ascii: "X"), UInt8(value.utf8.count), 0, 0, 0] + Array(value.utf8) }
        func tuple(_ values: [Int]) -> [UInt8] { [UInt8(ascii: "(")] + values.flatMap(number) + [UInt8(ascii: "t")] }
        var program: [UInt8] = [0x80, 2] + Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
        program += text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text("0") + text("cpu") + number(count) + Array("tQ".utf8)
        program += number(offset) + tuple(shape) + tuple(strides) + [0x89] + Array("ccollections\nOrderedDict\n)RtR.".utf8)
        return program
    }
}
