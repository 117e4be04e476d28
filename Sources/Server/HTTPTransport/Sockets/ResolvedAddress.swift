import Glibc
import Threads

/// A host and a port in the form that the system's calls take.
struct ResolvedAddress {
    private var storage = sockaddr_storage()
    private let length: socklen_t

    /// Takes the first address that the host stands for.
    /// - Throws: where the host has none.
    init(_ wanted: SocketAddress) throws(SystemError) {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(wanted.host, String(wanted.port), &hints, &list)
        defer { list.map(freeaddrinfo) }
        guard status == 0, let first = list?.pointee, let address = first.ai_addr else {
            throw SystemError(operation: "no such host as \(wanted.host)", code: EADDRNOTAVAIL)
        }
        withUnsafeMutableBytes(of: &storage) { storage in
            storage.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(first.ai_addrlen)))
        }
        length = first.ai_addrlen
    }

    /// `AF_INET` or `AF_INET6`.
    var family: CInt { CInt(storage.ss_family) }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Result) throws(SystemError) -> Result {
        try withUnsafePointer(to: storage) { storage throws(SystemError) in
            try storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address throws(SystemError) in try body(address, length) }
        }
    }
}
