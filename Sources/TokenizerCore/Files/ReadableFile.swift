import Glibc

/// An open regular file of which any part can be read at any time, from any thread.
///
/// Nothing is mapped: a file that another process cuts short gives an error, not a signal.
package final class ReadableFile: Sendable {
    package let path: String
    /// The file's size in bytes when it was opened.
    package let count: Int
    private let descriptor: Int32

    /// - Throws: when `path` is not a readable regular file.
    package init(_ path: String) throws(FileError) {
        // Without O_NONBLOCK a named pipe would hold the caller until somebody writes to it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileError(path: path, reason: "\(path) is not a regular file")
        }
        self.path = path
        count = Int(status.st_size)
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// The bytes of `range`.
    /// - Precondition: `range` lies in `0 ..< count`.
    /// - Throws: when they cannot be read, or the file has been cut short since it was opened.
    package func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "bytes \(range) of \(count) in \(path)")
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, done in
            while done < range.count {
                let got = pread(descriptor, buffer.baseAddress! + done, range.count - done, range.lowerBound + done)
                if got == 0 { return }
                if got > 0 { done += got } else if errno != EINTR { failure = errno; return }
            }
        }
        guard failure == 0 else { throw .system("read", path, code: failure) }
        guard bytes.count == range.count else { throw FileError(path: path, reason: "\(path) was cut short while it was read") }
        return bytes
    }
}
