extension HTTPServer {
    /// What has happened on its sockets since it started, for whoever exports it.
    package struct Counts: Sendable, Equatable {
        package var connectionsAccepted = 0
        /// Closed at once, or answered 503 on a reserved connection, because every other one was in use.
        package var connectionsRefusedBecauseFull = 0
        /// Closed at once because their address had as many as it may.
        package var connectionsRefusedByAddress = 0
        /// Closed at once because the process had no descriptor left.
        package var connectionsRefusedForDescriptors = 0
        /// Closed to make room for another client, having waited or been slow.
        package var connectionsEvicted = 0
        /// Heads read, whatever became of them.
        package var requests = 0
        package var bytesRead = 0
        package var bytesWritten = 0
        package var headTimeouts = 0
        package var bodyTimeouts = 0
        package var answerTimeouts = 0
        package var writeTimeouts = 0
        /// Connections that rested as long as they may.
        package var idleTimeouts = 0

        mutating func add(_ loop: LoopCounters) {
            connectionsAccepted += loop.accepted.total
            connectionsRefusedBecauseFull += loop.refusedBecauseFull.total
            connectionsRefusedByAddress += loop.refusedByAddress.total
            connectionsRefusedForDescriptors += loop.refusedForDescriptors.total
            connectionsEvicted += loop.evicted.total
            requests += loop.requests.total
            bytesRead += loop.bytesRead.total
            bytesWritten += loop.bytesWritten.total
            headTimeouts += loop.headTimeouts.total
            bodyTimeouts += loop.bodyTimeouts.total
            answerTimeouts += loop.answerTimeouts.total
            writeTimeouts += loop.writeTimeouts.total
            idleTimeouts += loop.idleTimeouts.total
        }
    }
}
