import Glibc

/// A whole file mapped read-only into memory: pages are read when first touched and shared by everyone who maps the file.
///
/// `@unchecked Sendable`: the memory is never written.
package final class MappedFile: @unchecked Sendable {
    let path: String
    private let bytes: UnsafeRawBufferPointer

    var count: Int { bytes.count }

    /// A copy of everything, for files that are small.
    package var contents: [UInt8] { withBytes { Array($0) } }

    /// Passes the mapped memory, which lives at least as long as `body` runs.
    func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    package init(_ path: String) throws(FileError) {
        self.path = path
        // Without O_NONBLOCK a named pipe would hold the caller until somebody writes to it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("open", path) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw .system("examine", path) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw FileError(path, "is not a regular file") }
        let size = Int(facts.st_size)
        guard size > 0 else { throw FileError(path, "is empty") }
        guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw .system("map", path)
        }
        bytes = UnsafeRawBufferPointer(start: base, count: size)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress!), bytes.count)
    }
}
