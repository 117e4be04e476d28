import Glibc

/// All bytes of a file, read-only: a copy, or the file's own pages.
///
/// A copy stays what it was, whatever is done to the file. A mapping takes no memory until it is touched and is shared by everyone who maps
/// the file, but whoever writes into the file changes it, and whoever cuts the file short ends the process that touches it (SIGBUS).
///
/// `@unchecked Sendable`: the memory is not written once it is filled.
package final class FileContents: @unchecked Sendable {
    let path: String
    /// Whether the bytes are the file's own pages, which the system can take back and read again.
    package let isMapped: Bool
    private let bytes: UnsafeRawBufferPointer

    package var count: Int { bytes.count }

    /// Passes the memory, which lives at least as long as `body` runs.
    package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    /// - Throws: when the file is empty or cannot be mapped.
    package init(mapping file: ReadableFile) throws(FileError) {
        (path, isMapped) = (file.path, true)
        bytes = UnsafeRawBufferPointer(try file.map(protection: PROT_READ, flags: MAP_PRIVATE))
    }

    /// - Parameter goesOn: asked before every block; once it says no, reading ends with an error.
    /// - Throws: when the file is empty or cannot be read, or there is no memory for it.
    package init(copying file: ReadableFile, goesOn: () -> Bool = { true }) throws(FileError) {
        (path, isMapped) = (file.path, false)
        // Memory of its own and not the allocator's, so that the system has it back as soon as it is let go.
        let memory = try file.map(protection: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS)
        bytes = UnsafeRawBufferPointer(memory)
        for block in file.blocks {
            guard goesOn() else { throw .stopped(path) }
            try file.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[block]), from: block.lowerBound)
        }
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress!), bytes.count)
    }
}
