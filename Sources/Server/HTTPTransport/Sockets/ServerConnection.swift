/// One accepted connection: its socket, and what is spoken on it. Only its loop's thread touches it.
final class ServerConnection {
    typealias Instant = ContinuousClock.Instant

    private static let actsPerTurn = 4

    let socket: Socket
    let identifier: UInt64
    /// Its place among those of its address, given up when it closes.
    var address: AddressCounts.Entry?
    private(set) var conversation: any Conversation
    /// What the loop's poller watches the socket for.
    var interest: Poller.Interest = .reading
    /// Whether its loop has it down to be brought to rest.
    var isTouched = false
    /// The earliest of its entries in the loop's deadline queue.
    var queuedDeadline: Instant?
    private var hasShutDownWriting = false

    init(_ socket: consuming Socket, address: AddressCounts.Entry, _ terms: ConnectionTerms, at now: Instant) {
        self.socket = socket
        self.identifier = terms.identifier
        self.address = address
        conversation = HTTP1Conversation(terms, at: now)
    }

    var isClosed: Bool { conversation.isClosed }

    /// What the socket should be watched for now.
    var wantedInterest: Poller.Interest {
        var wanted: Poller.Interest = conversation.wantsInput ? .reading : []
        if !conversation.output.isEmpty { wanted.insert(.writing) }
        return wanted
    }

    /// Reads once; a level-triggered poller says when there is more.
    func read(into buffer: UnsafeMutableRawBufferPointer, _ counters: LoopCounters, at now: Instant) {
        guard conversation.wantsInput else { return }
        switch SystemCalls.receive(socket.descriptor, into: buffer) {
        case .done(0): conversation.receiveEnd()
        case .done(let count):
            counters.bytesRead.count(count)
            conversation.receive(Span(_unsafeBytes: buffer[..<count]), at: now)
        case .wouldBlock: break
        case .broken: conversation.abandon(.disconnected)
        }
    }

    /// Acts on what the client has said.
    func act(_ context: borrowing LoopContext, at now: Instant) {
        while let successor = conversation.act(context, at: now) {
            conversation = successor
        }
    }

    /// Acts, and writes what can be written.
    /// - Returns: false if it should go on after others have had their turn: a client that sends many requests at once must not keep
    ///   them waiting.
    func advance(_ context: borrowing LoopContext, at now: Instant) -> Bool {
        var acts = 0
        repeat {
            act(context, at: now)
            acts += 1
        } while (write(context.counters, at: now) || conversation.hasEvents) && acts < Self.actsPerTurn
        if conversation.isLingering, !hasShutDownWriting {
            hasShutDownWriting = true
            SystemCalls.shutDownWriting(socket.descriptor)
        }
        return acts < Self.actsPerTurn
    }

    /// - Returns: whether there may be something new to say.
    private func write(_ counters: LoopCounters, at now: Instant) -> Bool {
        var hasWritten = false
        while !conversation.output.isEmpty {
            switch conversation.output.send(to: socket) {
            case .done(let count):
                counters.bytesWritten.count(count)
                conversation.didWrite(count, at: now)
                hasWritten = true
            case .wouldBlock:
                return hasWritten
            case .broken:
                conversation.abandon(.disconnected)
                return false
            }
        }
        return hasWritten
    }
}
