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
        /// Heads read, whatever became of them, by their protocol.
        package var requestsByHTTP1 = 0
        package var requestsByHTTP2 = 0
        package var requests: Int { requestsByHTTP1 + requestsByHTTP2 }
        /// Connections that have come to speak HTTP/2.
        package var http2Connections = 0
        /// HTTP/2 connections that were ended because their client misbehaved.
        package var http2Misbehaviours: [HTTP2Misbehaviour: Int] = [:]
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
            requestsByHTTP1 += loop.requestsByHTTP1.total
            requestsByHTTP2 += loop.requestsByHTTP2.total
            http2Connections += loop.http2Connections.total
            http2Misbehaviours[.resets, default: 0] += loop.http2Resets.total
            http2Misbehaviours[.controlFrames, default: 0] += loop.http2ControlFrames.total
            http2Misbehaviours[.headers, default: 0] += loop.http2Headers.total
            http2Misbehaviours[.protocolError, default: 0] += loop.http2ProtocolErrors.total
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
