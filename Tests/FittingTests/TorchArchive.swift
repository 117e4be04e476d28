import Files

@testable import Fitting
@testable import Jobs

/// What `torch.save` writes, and what it would not: archives put together here may claim anything.
enum TorchArchive {
    /// A zip archive of stored entries.
    static func zip(_ entries: [(String, [UInt8])]) -> [UInt8] {
        var (file, directory) = ([UInt8](), [UInt8]())
        for (name, data) in entries {
            let sizes = bytes(CRC32.zip.checksum(data)) + bytes(UInt32(data.count)) + bytes(UInt32(data.count)) + bytes(UInt16(name.utf8.count))
            directory += bytes(UInt32(0x0201_4B50)) + [0, 0] + [UInt8](repeating: 0, count: 10) + sizes + [UInt8](repeating: 0, count: 12)
            directory += bytes(UInt32(file.count)) + Array(name.utf8)
            file += bytes(UInt32(0x0403_4B50)) + [UInt8](repeating: 0, count: 10) + sizes + [0, 0] + Array(name.utf8) + data
        }
        let count = bytes(UInt16(entries.count))
        return file + directory + bytes(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + count + count + bytes(UInt32(directory.count))
            + bytes(UInt32(file.count)) + [0, 0]
    }

    /// A whole pickle of one value.
    static func pickle(_ value: [UInt8]) -> [UInt8] { [0x80, 2] + value + [UInt8(ascii: ".")] }

    /// `{name: value, …}`
    static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
        Array("}(".utf8) + members.flatMap { text($0.0) + $0.1 } + Array("u".utf8)
    }

    /// A tensor in the file `data/<key>`, which is claimed to have `count` numbers.
    static func tensor(_ type: String, key: String = "0", count: Int, offset: Int = 0, shape: [Int], strides: [Int]) -> [UInt8] {
        func tuple(_ values: [Int]) -> [UInt8] { [UInt8(ascii: "(")] + values.flatMap(number) + [UInt8(ascii: "t")] }
        var value = Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
        value += text("storage") + Array("ctorch\n\(type)Storage\n".utf8) + text(key) + text("cpu") + number(count) + Array("tQ".utf8)
        return value + number(offset) + tuple(shape) + tuple(strides) + [0x89] + Array("ccollections\nOrderedDict\n)RtR".utf8)
    }

    static func bytes(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    private static func number(_ value: Int) -> [UInt8] { [0x8A, 8] + bytes(value) }
    private static func text(_ value: String) -> [UInt8] { [0x8C, UInt8(value.utf8.count)] + Array(value.utf8) }
}
