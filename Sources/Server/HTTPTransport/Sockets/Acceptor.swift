import Threads

/// One loop's view of the listening socket: watched or not, and a way out when descriptors run out.
struct Acceptor: ~Copyable {
    private let listener: Listener
    private let identifier: UInt64
    private var isWatching = false
    /// Held so that it can be given up: at the descriptor limit a client can only be refused by accepting it first.
    private var reserve: Socket?

    init(_ listener: Listener, identifier: UInt64) throws(SystemError) {
        self.listener = listener
        self.identifier = identifier
        reserve = Socket(owning: try SystemCalls.openNothing())
    }

    mutating func resume(_ poller: borrowing Poller) throws(SystemError) {
        guard !isWatching else { return }
        try poller.add(listener.socket.descriptor, [.reading, .exclusive], identifier: identifier)
        isWatching = true
    }

    /// Leaves further clients in the kernel's queue.
    mutating func pause(_ poller: borrowing Poller) {
        guard isWatching else { return }
        poller.remove(listener.socket.descriptor)
        isWatching = false
    }

    func accept() -> SystemCalls.Accepted {
        SystemCalls.accept(listener.socket.descriptor)
    }

    /// Refuses one client by means of the reserve, so that it learns of it now and the queue moves on.
    /// - Returns: false if there was no reserve or no client.
    mutating func shed() -> Bool {
        let hadReserve = reserve != nil
        reserve = nil
        defer { restoreReserve() }
        guard hadReserve, case .connection(let descriptor, _) = accept() else { return false }
        SystemCalls.close(descriptor)
        return true
    }

    private mutating func restoreReserve() {
        do throws(SystemError) {
            reserve = Socket(owning: try SystemCalls.openNothing())
        } catch {
            // Another thread took the descriptor; the next attempt may find one.
        }
    }
}
