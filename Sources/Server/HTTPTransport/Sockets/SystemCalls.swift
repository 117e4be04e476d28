import CEvents
import Glibc
import Threads

/// Every system call of this module, with EINTR repeated and errors typed.
enum SystemCalls {
    /// How an operation that must not wait went.
    enum Progress: Equatable {
        /// Bytes moved; 0 for a read means that the peer has shut down its side.
        case done(Int)
        case wouldBlock
        /// The connection is broken; the reason makes no difference to anyone.
        case broken
    }

    /// How an accept went.
    enum Accepted {
        case connection(CInt, SocketAddress)
        case none
        /// No descriptor or memory is left for it.
        case exhausted
    }

    static func close(_ descriptor: CInt) {
        // Never repeated: Linux has released the descriptor even when it reports EINTR.
        _ = Glibc.close(descriptor)
    }

    static func receive(_ descriptor: CInt, into buffer: UnsafeMutableRawBufferPointer) -> Progress {
        progress { recv(descriptor, buffer.baseAddress, buffer.count, 0) }
    }

    /// Writes both pieces as far as the socket takes them; a closed peer is an outcome and never SIGPIPE.
    static func send(_ descriptor: CInt, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Progress {
        var pieces = (ioVector(first), ioVector(second))
        return withUnsafeMutablePointer(to: &pieces) { pieces in
            pieces.withMemoryRebound(to: iovec.self, capacity: 2) { vectors in
                var message = msghdr()
                message.msg_iov = vectors
                message.msg_iovlen = 2
                return progress { sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL)) }
            }
        }
    }

    static func shutDownWriting(_ descriptor: CInt) {
        _ = shutdown(descriptor, CInt(SHUT_WR))
    }

    /// Ends a listening socket for every thread: new clients are refused from now on.
    static func stopListening(_ descriptor: CInt) {
        _ = shutdown(descriptor, CInt(SHUT_RDWR))
    }

    static func setOption(_ descriptor: CInt, level: CInt, name: CInt, _ value: CInt) throws(SystemError) {
        var value = value
        _ = try check("setsockopt") {
            setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
        }
    }

    /// Where a socket is bound.
    static func localAddress(_ descriptor: CInt) throws(SystemError) -> SocketAddress {
        var (storage, length) = (sockaddr_storage(), socklen_t(MemoryLayout<sockaddr_storage>.size))
        _ = try check("getsockname") {
            withUnsafeMutablePointer(to: &storage) { storage in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
        }
        return SocketAddress(storage)
    }

    /// Lets sending, connecting and receiving fail with `EAGAIN` after this time, on a socket that waits.
    static func setTimeout(_ descriptor: CInt, _ duration: Duration) throws(SystemError) {
        let (seconds, attoseconds) = duration.components
        var time = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        for name in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = try check("setsockopt") { setsockopt(descriptor, SOL_SOCKET, name, &time, socklen_t(MemoryLayout<timeval>.size)) }
        }
    }

    /// Something that holds a descriptor and can be let go.
    static func openNothing() throws(SystemError) -> CInt {
        try check("open /dev/null") { open("/dev/null", O_RDONLY | O_CLOEXEC) }
    }

    /// Takes the next waiting client; its socket does not block.
    static func accept(_ listener: CInt) -> Accepted {
        var storage = sockaddr_storage()
        let (descriptor, error) = retrying { events_accept(listener, &storage) }
        if descriptor >= 0 { return .connection(descriptor, SocketAddress(storage)) }
        return [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error) ? .exhausted : .none
    }

    /// Calls until it is not interrupted.
    /// - Throws: its `errno`, where it returned −1.
    static func check(_ operation: String, _ call: () -> CInt) throws(SystemError) -> CInt {
        let (result, error) = retrying(call)
        guard result >= 0 else { throw SystemError(operation: operation, code: error) }
        return result
    }

    private static func progress(_ call: () -> Int) -> Progress {
        let (count, error) = retrying(call)
        if count >= 0 { return .done(count) }
        return error == EAGAIN || error == EWOULDBLOCK ? .wouldBlock : .broken
    }

    private static func retrying<Result: SignedInteger>(_ call: () -> Result) -> (result: Result, error: CInt) {
        while true {
            let result = call()
            let error = errno
            if result >= 0 || error != EINTR { return (result, error) }
        }
    }

    private static func ioVector(_ bytes: UnsafeRawBufferPointer) -> iovec {
        iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }
}

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
