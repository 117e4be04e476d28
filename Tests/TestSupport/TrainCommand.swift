import Files
import Glibc
import Testing

/// The command `revq-train` that was built with these tests, as a child process.
package enum TrainCommand {
    /// Runs it to its end.
    /// - Parameter maximumFileBytes: writing more than that to a file fails, as on a full disk.
    /// - Returns: its exit status, and what it wrote to standard output and to standard error.
    package static func run(_ arguments: [String], maximumFileBytes: Int? = nil) throws -> (status: Int32, output: String, errors: String) {
        try withScratchFolder { folder in
            // The shell counts blocks of 512 bytes.
            let limit = maximumFileBytes.map { "ulimit -f \($0 / 512); " } ?? ""
            let words = ["/bin/sh", "-c", limit + "exec \"$@\" > \(folder)/output 2> \(folder)/errors", "sh", try path] + arguments
            var pid = pid_t()
            var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
            defer { for pointer in pointers { free(pointer) } }
            try #require(posix_spawn(&pid, "/bin/sh", nil, nil, &pointers, environ) == 0)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 { try #require(errno == EINTR) }
            let texts = try ["output", "errors"].map { String(decoding: try StoredFile.read("\(folder)/\($0)"), as: UTF8.self) }
            // The low byte is the signal that ended it, if one did.
            return (status & 0x7F == 0 ? status >> 8 : -(status & 0x7F), texts[0], texts[1])
        }
    }

    /// Beside the test's own executable.
    private static var path: String {
        get throws {
            var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = buffer.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
            let executable = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            return PathName.folder(of: executable) + "/revq-train"
        }
    }
}
