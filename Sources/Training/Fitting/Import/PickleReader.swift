import Files

/// A reader of Python pickles that can build numbers, text, tuples, lists, dictionaries and tensors, and nothing else.
///
/// A pickle is a program that names Python functions and calls them. This reader knows two calls, `collections.OrderedDict()` and
/// `torch._utils._rebuild_tensor_v2(…)`, and refuses a pickle that names anything else. Nothing nests, so no input can exhaust the
/// stack; time and memory are linear in its bytes.
///
/// Source: CPython's pickletools (protocols 2 to 5); PyTorch's serialization notes.
struct PickleReader {
    /// What was met, in one line.
    struct Refusal: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private var reader: ByteReader
    private var stack: [PickleValue] = []
    /// Heights of the stack at which a tuple, or members of a container, begin.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var containers: [Pickle.Container] = []

    static func read(_ bytes: [UInt8]) throws(Refusal) -> Pickle {
        var machine = PickleReader(reader: ByteReader(bytes, .littleEndian))
        while let code = machine.reader.integer(1) {
            if code == UInt8(ascii: ".") { return Pickle(root: try machine.pop(), containers: machine.containers) }
            try machine.execute(UInt8(code))
        }
        throw Refusal(description: "the pickle ends without its last instruction")
    }

    private init(reader: ByteReader) {
        self.reader = reader
    }

    private mutating func execute(_ code: UInt8) throws(Refusal) {
        switch code {
        case 0x80: try checkProtocol()
        case 0x95: _ = try integer(8)  // FRAME: how many bytes belong together, of no consequence here
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "J"): stack.append(.int(Int(Int32(truncatingIfNeeded: try integer(4)))))
        case UInt8(ascii: "K"): stack.append(.int(try integer(1)))
        case UInt8(ascii: "M"): stack.append(.int(try integer(2)))
        case 0x8A: stack.append(.int(try longInteger()))
        case UInt8(ascii: "G"): stack.append(.double(try double()))
        case UInt8(ascii: "X"): stack.append(.string(try text(try integer(4))))
        case 0x8C: stack.append(.string(try text(try integer(1))))
        case UInt8(ascii: ")"): stack.append(tuple([]))
        case 0x85...0x87: stack.append(tuple(try pop(Int(code) - 0x84)))
        case UInt8(ascii: "t"): stack.append(tuple(try popToMark()))
        case UInt8(ascii: "]"): stack.append(.list(add(.items([]))))
        case UInt8(ascii: "}"): stack.append(.dictionary(add(.members([]))))
        case UInt8(ascii: "a"): try append(try pop(1))
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "s"): try setMembers(try pop(2))
        case UInt8(ascii: "u"): try setMembers(try popToMark())
        case UInt8(ascii: "q"): memo[try integer(1)] = try top()
        case UInt8(ascii: "r"): memo[try integer(4)] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): stack.append(try remembered(try integer(1)))
        case UInt8(ascii: "j"): stack.append(try remembered(try integer(4)))
        case UInt8(ascii: "c"): stack.append(try Self.global(module: try line(), name: try line()))
        case 0x93:
            guard case .string(let name) = try pop(), case .string(let module) = try pop() else { throw .malformed("a global without a name") }
            stack.append(try Self.global(module: module, name: name))
        case UInt8(ascii: "R"): try call()
        case UInt8(ascii: "b"): try build()
        case UInt8(ascii: "Q"): stack.append(try storage(try pop()))
        default: throw Refusal(description: "the pickle has the instruction 0x\(String(code, radix: 16)), which builds no tensors")
        }
    }

    private mutating func checkProtocol() throws(Refusal) {
        let version = try integer(1)
        guard (2...5).contains(version) else { throw Refusal(description: "the pickle has protocol \(version); 2 to 5 are read") }
    }
}

/// Calls and the objects that they make.
extension PickleReader {
    private static func global(module: String, name: String) throws(Refusal) -> PickleValue {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw Refusal(description: "the pickle names \(module.prefix(60)).\(name.prefix(60)), which is neither a tensor nor an OrderedDict")
        }
        return .global(global)
    }

    private mutating func call() throws(Refusal) {
        guard case .tuple(let place) = try pop(), case .items(let arguments) = containers[place], case .global(let callee) = try pop() else {
            throw .malformed("a call of something that is no function")
        }
        switch callee {
        case .orderedDictionary where arguments.isEmpty: stack.append(.dictionary(add(.members([]))))
        case .rebuildTensor: stack.append(.tensor(try tensor(arguments)))
        default: throw Refusal(description: "the pickle calls \(callee) with \(arguments.count) arguments, which builds no tensors")
        }
    }

    /// `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`
    private func tensor(_ arguments: [PickleValue]) throws(Refusal) -> PickleTensor {
        guard (6...7).contains(arguments.count), case .storage(let storage) = arguments[0], case .int(let offset) = arguments[1],
            let shape = integers(arguments[2]), let strides = integers(arguments[3])
        else { throw .malformed("a tensor without storage, offset, shape and strides") }
        guard let tensor = PickleTensor(storage, offset: offset, shape: shape, strides: strides) else {
            throw Refusal(
                description:
                    "the pickle has a tensor of shape \(shape.prefix(8)) and strides \(strides.prefix(8)) at \(offset), outside its storage of \(storage.count) numbers"
            )
        }
        return tensor
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard case .tuple(let place) = value, case .items(let items) = containers[place] else { return nil }
        var integers: [Int] = []
        for case .int(let integer) in items { integers.append(integer) }
        return integers.count == items.count ? integers : nil
    }

    /// `("storage", type, key, device, count)`
    private func storage(_ id: PickleValue) throws(Refusal) -> PickleValue {
        guard case .tuple(let place) = id, case .items(let parts) = containers[place], parts.count == 5, parts[0] == .string("storage"),
            case .global(.storageType(let type)) = parts[1], case .string(let key) = parts[2], case .int(let count) = parts[4], count >= 0
        else { throw .malformed("a persistent object that is no tensor's storage") }
        return .storage(PickleStorage(type: type, key: key, count: count))
    }

    /// An OrderedDict may carry attributes (PyTorch's `_metadata`), which are dropped.
    private mutating func build() throws(Refusal) {
        guard case .dictionary = try pop(), case .dictionary = try top() else {
            throw .malformed("attributes for something that is no OrderedDict")
        }
    }
}

/// The stack.
extension PickleReader {
    private mutating func add(_ container: Pickle.Container) -> Int {
        containers.append(container)
        return containers.count - 1
    }

    private mutating func tuple(_ items: [PickleValue]) -> PickleValue { .tuple(add(.items(items))) }

    private func top() throws(Refusal) -> PickleValue {
        guard let value = stack.last, stack.count > marks.last ?? 0 else { throw .malformed("an instruction without its operand") }
        return value
    }

    private mutating func pop() throws(Refusal) -> PickleValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    /// The last `count` values, the last one last.
    private mutating func pop(_ count: Int) throws(Refusal) -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else { throw .malformed("an instruction without its operands") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(Refusal) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw .malformed("a missing mark") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private mutating func append(_ items: [PickleValue]) throws(Refusal) {
        guard case .list(let place) = try top(), case .items(var all) = containers[place] else { throw .malformed("items without their list") }
        // Held once only, so that it grows in place.
        containers[place] = .items([])
        all += items
        containers[place] = .items(all)
    }

    private mutating func setMembers(_ flat: [PickleValue]) throws(Refusal) {
        guard case .dictionary(let place) = try top(), case .members(var all) = containers[place], flat.count % 2 == 0 else {
            throw .malformed("members without their dictionary")
        }
        containers[place] = .members([])
        for key in stride(from: 0, to: flat.count, by: 2) { all.append((flat[key], flat[key + 1])) }
        containers[place] = .members(all)
    }

    private func remembered(_ index: Int) throws(Refusal) -> PickleValue {
        guard let value = memo[index] else { throw .malformed("a reference to something it never stored") }
        return value
    }
}

/// Operands in the bytes.
extension PickleReader {
    private mutating func integer(_ width: Int) throws(Refusal) -> Int {
        guard let value = reader.integer(width) else { throw .truncated }
        return value
    }

    private mutating func bytes(_ count: Int) throws(Refusal) -> [UInt8] {
        guard let bytes = reader.bytes(count) else { throw .truncated }
        return bytes
    }

    private mutating func text(_ count: Int) throws(Refusal) -> String {
        guard let text = String(validating: try bytes(count), as: UTF8.self) else { throw .malformed("text that is not UTF-8") }
        return text
    }

    private mutating func line() throws(Refusal) -> String {
        guard let line = reader.line() else { throw .truncated }
        return String(decoding: line, as: UTF8.self)
    }

    private mutating func double() throws(Refusal) -> Double {
        Double(bitPattern: try bytes(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// A two's complement number of up to 8 bytes.
    private mutating func longInteger() throws(Refusal) -> Int {
        let bytes = try bytes(try integer(1))
        guard bytes.count <= 8 else { throw .malformed("a number of \(bytes.count) bytes") }
        let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let unused = 64 - 8 * bytes.count
        return bytes.isEmpty ? 0 : Int(Int64(bitPattern: bits << UInt64(unused)) >> Int64(unused))
    }
}

extension PickleReader.Refusal {
    fileprivate static let truncated = PickleReader.Refusal(description: "the pickle ends inside an instruction")

    fileprivate static func malformed(_ what: String) -> PickleReader.Refusal {
        PickleReader.Refusal(description: "the pickle is malformed: it has \(what)")
    }
}
