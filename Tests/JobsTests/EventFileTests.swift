import TestSupport
import Testing

@testable import Files
@testable import Jobs

@Suite struct EventFileTests {
    /// Source: RFC 3720, B.4, and the check value of CRC-32C in the usual catalogues.
    @Test func checksumsAreCastagnolis() {
        #expect(CRC32.castagnoli.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32.castagnoli.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32.castagnoli.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    }

    @Test func numbersAreEncodedAsProtocolBuffers() {
        var message = ProtocolBuffer()
        message.integer(2, 300)
        message.bytes(1, Array("ab".utf8))
        message.float(2, 1)
        #expect(message.contents == [0x10, 0xAC, 0x02, 0x0A, 2, 0x61, 0x62, 0x15, 0, 0, 0x80, 0x3F])
    }

    /// Byte for byte, by the formats' descriptions; TensorBoard's own reader took them.
    @Test func aFileIsRecordsOfEvents() throws {
        try withScratchFolder { folder in
            var now = 1000.0
            let file = try EventFile(in: folder) { now }
            now = 1010
            try file.append(step: 1, seconds: 2, ["loss": 0.5, "broken": .nan])
            now = 5000
            try file.append(step: 2, seconds: 3, ["loss": 0.25, "rate": 64])
            let records = try records(StoredFile.read(folder + "/events.out.tfevents.1000.revq"))
            let double = { (value: Double) in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
            let loss: [UInt8] = [0x0A, 11, 0x0A, 4] + Array("loss".utf8) + [0x15]
            let rate: [UInt8] = [0x0A, 11, 0x0A, 4] + Array("rate".utf8) + [0x15, 0, 0, 0x80, 0x42]
            #expect(records.count == 4)
            #expect(records[0] == [0x09] + double(1000) + [0x1A, 13] + Array("brain.Event:2".utf8))
            #expect(records[1] == [0x09] + double(1000) + [0x3A, 2, 0x08, 1], "the session begins: what was read before is dropped")
            #expect(records[2] == [0x09] + double(1010) + [0x10, 1, 0x2A, 13] + loss + [0, 0, 0, 0x3F])
            #expect(records[3] == [0x09] + double(1011) + [0x10, 2, 0x2A, 26] + loss + [0, 0, 0x80, 0x3E] + rate, "pauses are left out")
        }
    }

    /// A resumed run tells TensorBoard everything anew, and no line of lost work.
    @Test func theEventsAreThoseOfTheLog() throws {
        try withScratchFolder { folder in
            for (resumed, last) in [(0, 4), (2, 3)] {
                let log = try TrainingLog(folder + "/log.jsonl", resumedAt: resumed, events: folder + "/tensorboard") { .zero }
                for step in resumed + 1...last { try log.append(step: step, ["loss": Double(step)]) }
            }
            let names = try StoredFolder.names(in: folder + "/tensorboard")
            #expect(names.count == 1)
            let records = try records(StoredFile.read("\(folder)/tensorboard/\(names[0])"))
            // Behind the time comes the step.
            #expect(records.dropFirst(2).map { $0[10] } == [1, 2, 3])
        }
    }

    /// The contents of each, their checksums tried.
    private func records(_ bytes: [UInt8]) throws -> [[UInt8]] {
        var (rest, records): (ArraySlice<UInt8>, [[UInt8]]) = (bytes[...], [])
        while !rest.isEmpty {
            let length = Array(rest.prefix(8))
            let count = length.reversed().reduce(0) { $0 << 8 | Int($1) }
            #expect(Array(rest.dropFirst(8).prefix(4)) == CRC32.castagnoli.masked(length))
            let contents = Array(rest.dropFirst(12).prefix(count))
            #expect(Array(rest.dropFirst(12 + count).prefix(4)) == CRC32.castagnoli.masked(contents))
            records.append(contents)
            rest = rest.dropFirst(16 + count)
        }
        return records
    }
}
