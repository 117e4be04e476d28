import Files
import Glibc
import Testing

/// A command that was built with these tests, as a child process.
package enum BuiltCommand: String {
    case server = "revq-server"
    case train = "revq-train"

    /// Runs it to its end.
    /// - Parameters:
    ///   - maximumFileBytes: writing more than that to a file fails, as on a full disk.
    ///   - stop: a signal to send once the command has written some text to standard error.
    ///   - terminal: what standard error is, in the place of a file.
    ///   - environment: variables beside those of the tests, such as `NO_COLOR=1`.
    /// - Returns: its exit status, and what it wrote to standard output and to standard error.
    package func run(
        _ arguments: [String], maximumFileBytes: Int? = nil, stop: (signal: Int32, text: String)? = nil, terminal: PseudoTerminal? = nil,
        environment: [String] = []
    ) throws -> (status: Int32, output: String, errors: String) {
        try Self.run(
            [try path] + arguments, maximumFileBytes: maximumFileBytes, stop: stop, terminal: terminal, environment: environment)
    }

    /// The same for the words of any command.
    package static func run(
        _ command: [String], maximumFileBytes: Int? = nil, stop: (signal: Int32, text: String)? = nil, terminal: PseudoTerminal? = nil,
        environment: [String] = []
    ) throws -> (status: Int32, output: String, errors: String) {
        try withScratchFolder { folder in
            // The shell counts blocks of 512 bytes.
            let limit = maximumFileBytes.map { "ulimit -f \($0 / 512); " } ?? ""
            let errors = terminal?.name ?? "\(folder)/errors"
            let words =
                ["/bin/sh", "-c", limit + "exec \"$@\" > \(folder)/output 2> \(errors)", "sh", "/usr/bin/env"] + environment + command
            var pid = pid_t()
            var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
            defer { for pointer in pointers { free(pointer) } }
            // The threads that run tests hold signals back, and a child would inherit that.
            var (attributes, none) = (posix_spawnattr_t(), sigset_t())
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            sigemptyset(&none)
            posix_spawnattr_setsigmask(&attributes, &none)
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
            try #require(posix_spawn(&pid, "/bin/sh", nil, &attributes, &pointers, environ) == 0)
            var status: Int32 = 0
            if let stop {
                while waitpid(pid, &status, WNOHANG) == 0, !isThere(stop.text, in: "\(folder)/errors") { usleep(1000) }
                kill(pid, stop.signal)
            }
            if let terminal {
                // A terminal that nobody reads holds its writer up.
                while waitpid(pid, &status, WNOHANG) == 0 { terminal.read() }
                terminal.read()
                try StoredFile.write(terminal.recording, to: "\(folder)/errors", .relaxed)
            } else {
                while waitpid(pid, &status, 0) < 0 { guard errno == EINTR else { break } }
            }
            let texts = try ["output", "errors"].map { String(decoding: try StoredFile.read("\(folder)/\($0)"), as: UTF8.self) }
            // The low byte is the signal that ended it, if one did.
            return (status & 0x7F == 0 ? status >> 8 : -(status & 0x7F), texts[0], texts[1])
        }
    }

    private static func isThere(_ text: String, in file: String) -> Bool {
        (try? StoredFile.read(file)).map { String(decoding: $0, as: UTF8.self).contains(text) } ?? false
    }

    /// Beside the test's own executable.
    package var path: String {
        get throws {
            var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = buffer.withUnsafeMutableBytes { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
            let executable = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            return PathName.folder(of: executable) + "/" + rawValue
        }
    }
}

/// `revq-train`, which most of them run.
package enum TrainCommand {
    package static func run(
        _ arguments: [String], maximumFileBytes: Int? = nil, stop: (signal: Int32, text: String)? = nil, terminal: PseudoTerminal? = nil,
        environment: [String] = []
    ) throws -> (status: Int32, output: String, errors: String) {
        try BuiltCommand.train.run(arguments, maximumFileBytes: maximumFileBytes, stop: stop, terminal: terminal, environment: environment)
    }
}
