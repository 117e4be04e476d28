import Glibc

/// A descriptor with one owner, closed when the owner lets it go.
struct Socket: ~Copyable, Sendable {
    let descriptor: CInt

    init(owning descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        SystemCalls.close(descriptor)
    }

    /// Answers go out when they are written: waiting to fill a packet costs a keep-alive client 40 ms.
    func sendAtOnce() throws(SystemError) {
        try SystemCalls.setOption(descriptor, level: CInt(IPPROTO_TCP), name: TCP_NODELAY, 1)
    }
}
