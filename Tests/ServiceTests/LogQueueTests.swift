import Glibc
import Logging
import TestSupport
import Testing

@testable import Service

@Suite struct LogQueueTests {
    @Test func writesWhatIsAddedInOrder() throws {
        let written = Mailbox<String>()
        let queue = try LogQueue { written.post($0) }
        for number in 0..<100 { queue.add("\(number)\n") }
        queue.flush(within: .seconds(60))
        #expect(written.posted.joined() == (0..<100).map { "\($0)\n" }.joined())
    }

    /// Whoever logs is not held up by a reader that has stopped, and learns later what is missing.
    @Test func aStalledReaderCostsLinesThatAreCounted() throws {
        let written = Mailbox<String>()
        let gate = Gate()
        let queue = try LogQueue(maximumBytes: 4) { text in
            gate.pass()
            written.post(text)
        }
        queue.add("0\n")
        gate.waitForArrival()
        for number in 1..<10 { queue.add("\(number)\n") }
        queue.flush(within: .zero)
        #expect(written.posted == [])
        gate.open()
        queue.flush(within: .seconds(60))
        #expect(written.posted.joined() == "0\n1\n2\n7 log lines were dropped: nobody read them in time\n")
    }

    @Test func aFullPipeIsWaitedForAndABrokenOneGivenUp() throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        #expect(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
        signal(SIGPIPE, SIG_IGN)
        let text = String(repeating: "x", count: 1 << 20)
        let (reader, writer) = (ends[0], ends[1])
        let queue = try LogQueue(maximumBytes: 1 << 21) { LogQueue.write($0, to: writer) }
        queue.add(text)
        var (received, buffer) = (0, [UInt8](repeating: 0, count: 1 << 16))
        while received < text.utf8.count { received += max(0, read(reader, &buffer, buffer.count)) }
        close(reader)
        queue.add(text)
        queue.flush(within: .seconds(60))
        close(writer)
    }

    @Test func aValueFromOutsideCannotLookLikeALine() throws {
        let written = Mailbox<String>()
        let queue = try LogQueue { written.post($0) }
        let logger = Logger(label: "revq") { QueuedLogHandler(label: $0, queue: queue) }
        logger.warning("a\nb", metadata: ["z": "1\r\n2", "a": "x"])
        queue.flush(within: .seconds(60))
        let line = written.posted.joined()
        #expect(line.hasSuffix("Z warning revq: a b a=x z=1  2\n"))
        #expect(line.prefix { $0 != " " }.count == "2026-01-31T12:00:00Z".count)
    }
}
