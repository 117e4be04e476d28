extension HTTPServer {
    /// Where to listen and what the whole server may hold.
    package struct Configuration: Sendable, Equatable {
        /// An IPv4 or IPv6 address, or a name for one; `::` listens on both families.
        package var host: String
        /// 0 for any free port.
        package var port: UInt16
        /// Threads that move bytes; one carries far more images than two cores can encode.
        package var eventLoops = 1
        /// Over all loops; more clients wait in the kernel's queue.
        package var maximumConnections = 1024
        /// How many clients may wait to be accepted; the kernel caps it.
        package var backlog = 1024
        /// The bytes of all request bodies from their arrival until their answer; beyond it, 503.
        package var bufferedBodyBytes = 256 << 20
        package var limits = HTTPLimits()

        package init(host: String = "127.0.0.1", port: UInt16 = 0) {
            self.host = host
            self.port = port
        }

        func checkRanges() {
            precondition(eventLoops >= 1, "\(eventLoops) event loops; expected at least 1")
            precondition(maximumConnections >= 1, "at most \(maximumConnections) connections; expected at least 1")
            precondition(bufferedBodyBytes >= 0, "\(bufferedBodyBytes) bytes for bodies; expected 0 or more")
            precondition(limits.minimumBytesPerSecond >= 1, "a minimum rate of \(limits.minimumBytesPerSecond) bytes/s")
        }
    }
}
