import Files
import Glibc
import Locks

/// What a run has computed so far, by the contents of the pictures: a file that grows with every picture and survives being cut off.
///
/// A run that goes on finds here what it had, whatever pictures were added, removed or changed meanwhile, and the second picture with the
/// same contents finds the first one's tokens.
///
/// A record is four 32-bit numbers (a mark, how many tokens, width, height), the key, the tokens, and the first bytes of the SHA-256 of all
/// that; numbers are little-endian.
final class TokenJournal: Sendable {
    private let path: String
    private let descriptor: Int32
    private let state: Lock<State>

    private struct Place {
        let offset, tokens: Int
    }
    private struct State {
        var places: [ContentKey: Place] = [:]
        var end = 0
    }

    private static let mark: UInt32 = 0x7665_7271, headBytes = 16 + ContentKey.bytes, checkBytes = 8
    private static let mostTokens = 1 << 26

    /// Opens the journal, made where it is missing, and drops a last record that was cut off.
    init(_ path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system("open", path) }
        state = Lock(State())
        let file = try ReadableFile(path)
        var found = State()
        while let record = try Self.record(file, at: found.end) {
            found.places[record.key] = Place(offset: found.end, tokens: record.encoded.tokens.count)
            found.end += record.bytes
        }
        guard ftruncate(descriptor, off_t(found.end)) == 0 else { throw .system("shorten", path) }
        state.withLock { [found] in $0 = found }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    var count: Int { state.withLock { $0.places.count } }

    func contains(_ key: ContentKey) -> Bool { state.withLock { $0.places[key] != nil } }

    /// What was computed of a picture with these contents, if it was.
    func encoded(_ key: ContentKey) throws(FileError) -> PictureEncoder.Encoded? {
        guard let place = state.withLock({ $0.places[key] }) else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.bytes(tokens: place.tokens))
        var done = 0
        while done < bytes.count {
            let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + done, $0.count - done, off_t(place.offset + done)) }
            if got > 0 { done += got } else if got == 0 || errno != EINTR { throw .system("read", path) }
        }
        return Self.parse(bytes)?.encoded
    }

    /// Adds a picture, whose bytes are in the system's hands when the call returns: a killed process keeps them.
    func append(_ encoded: PictureEncoder.Encoded, of key: ContentKey) throws(FileError) {
        let bytes = Self.serialized(encoded, key)
        try state.withLock { state throws(FileError) in
            guard state.places[key] == nil else { return }
            var done = 0
            while done < bytes.count {
                let put = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress! + done, $0.count - done, off_t(state.end + done)) }
                if put > 0 { done += put } else if errno != EINTR { throw .system("write", path) }
            }
            state.places[key] = Place(offset: state.end, tokens: encoded.tokens.count)
            state.end += bytes.count
        }
    }

    /// Adds what another run has computed and cannot go on with itself.
    func take(from path: String) throws(FileError) {
        let file = try ReadableFile(path)
        var offset = 0
        while let record = try Self.record(file, at: offset) {
            try append(record.encoded, of: record.key)
            offset += record.bytes
        }
    }

    private typealias Record = (key: ContentKey, encoded: PictureEncoder.Encoded, bytes: Int)

    private static func bytes(tokens: Int) -> Int { headBytes + 4 * tokens + checkBytes }

    /// The record at `offset`; nil where there is none, or not all of one.
    private static func record(_ file: ReadableFile, at offset: Int) throws(FileError) -> Record? {
        guard file.count - offset >= headBytes else { return nil }
        let head = try file.read(offset..<offset + headBytes)
        let tokens = Int(number(head, 1))
        guard number(head, 0) == mark, tokens <= mostTokens, bytes(tokens: tokens) <= file.count - offset else { return nil }
        return parse(try file.read(offset..<offset + bytes(tokens: tokens)))
    }

    private static func parse(_ bytes: [UInt8]) -> Record? {
        let end = bytes.count - checkBytes
        guard bytes[end...].elementsEqual(check(bytes[..<end])) else { return nil }
        let tokens = (0..<Int(number(bytes, 1))).map { Int32(bitPattern: number(bytes, headBytes / 4 + $0)) }
        let encoded = PictureEncoder.Encoded(width: Int(number(bytes, 2)), height: Int(number(bytes, 3)), tokens: tokens)
        return (ContentKey(bytes[16..<headBytes]), encoded, bytes.count)
    }

    private static func serialized(_ encoded: PictureEncoder.Encoded, _ key: ContentKey) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.bytes(tokens: encoded.tokens.count))
        for number in [mark, UInt32(encoded.tokens.count), UInt32(encoded.width), UInt32(encoded.height)] { append(number, to: &bytes) }
        bytes += key.stored
        for token in encoded.tokens { append(UInt32(bitPattern: token), to: &bytes) }
        return bytes + check(bytes[...])
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// The number at four times `index`.
    private static func number(_ bytes: [UInt8], _ index: Int) -> UInt32 {
        bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)) }
    }

    private static func check(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(ContentKey(FileDigest(contents: Array(bytes))).stored.prefix(checkBytes))
    }
}
