import Glibc

/// An open regular file of which any part can be read at any time, from any thread.
///
/// Nothing is mapped: a file that another process cuts short gives an error, not a signal.
package final class ReadableFile: Sendable {
    package let path: String
    /// The file's size in bytes when it was opened.
    package let count: Int
    private let descriptor: Int32

    /// What is read at once where all of a file is.
    private static let blockBytes = 1 << 20

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
        // The initializer below writes down even a count of nought, and into memory that all empty arrays share: a race between threads.
        guard !range.isEmpty else { return [] }
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, done in
            do throws(FileError) {
                try read(into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count]), from: range.lowerBound)
                done = range.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Fills `memory` with the bytes from `offset` on.
    /// - Throws: when they cannot be read, or the file has been cut short since it was opened.
    func read(into memory: UnsafeMutableRawBufferPointer, from offset: Int) throws(FileError) {
        var done = 0
        while done < memory.count {
            let got = pread(descriptor, memory.baseAddress! + done, memory.count - done, offset + done)
            if got == 0 { throw FileError(path: path, reason: "\(path) was cut short while it was read") }
            if got > 0 { done += got } else if errno != EINTR { throw .system("read", path) }
        }
    }

    /// The whole file, part after part.
    var blocks: [Range<Int>] {
        stride(from: 0, to: count, by: Self.blockBytes).map { $0..<min($0 + Self.blockBytes, count) }
    }

    /// As much memory as the file has bytes, by `mmap`; the caller unmaps it.
    func map(protection: Int32, flags: Int32) throws(FileError) -> UnsafeMutableRawBufferPointer {
        guard count > 0 else { throw FileError(path, "is empty") }
        guard let base = mmap(nil, count, protection, flags, flags & MAP_ANONYMOUS == 0 ? descriptor : -1, 0), base != MAP_FAILED else {
            throw .system("map", path)
        }
        return UnsafeMutableRawBufferPointer(start: base, count: count)
    }
}
