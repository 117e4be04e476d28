import Glibc

/// A terminal of some width that a command writes to, and that records what it is told.
package final class PseudoTerminal {
    /// What the command opens.
    package let name: String
    package private(set) var recording: [UInt8] = []
    private let descriptor: Int32

    /// `TIOCSPTLCK` and `TIOCGPTN`, which Glibc's module leaves out. Source: ioctl_tty(2).
    private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    package init(columns: Int) {
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (locked, number): (Int32, Int32) = (0, 0)
        let isOpen = ioctl(descriptor, Self.setLock, &locked) == 0 && ioctl(descriptor, Self.getNumber, &number) == 0
        precondition(isOpen, "no terminal: \(String(cString: strerror(errno)))")
        name = "/dev/pts/\(number)"
        var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        precondition(ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0, "a terminal without a size")
    }

    deinit {
        close(descriptor)
    }

    /// Takes what has been written, and waits some milliseconds where nothing has.
    package func read() {
        var (buffer, ready) = ([UInt8](repeating: 0, count: 4096), pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        while poll(&ready, 1, 5) > 0, ready.revents & Int16(POLLIN) != 0 {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return }
            recording += buffer.prefix(count)
        }
    }
}

/// What a terminal shows at last, of as many lines as it takes.
package struct TerminalScreen {
    package private(set) var lines: [String] = [""]
    /// How often a text was longer than the terminal is wide.
    package private(set) var wraps = 0

    /// - Parameter recording: text with carriage returns, line feeds, and `ESC [ K`, which clears the rest of a line.
    package init(_ recording: some StringProtocol, columns: Int) {
        var (column, rest) = (0, recording.unicodeScalars[...])
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\r": column = 0
            case "\n": lines.append("")
            case "\u{1B}":
                precondition(rest.prefix(2).elementsEqual("[K".unicodeScalars), "an order that no bar needs: \(rest.prefix(8))")
                rest = rest.dropFirst(2)
                lines[lines.count - 1] = String(lines[lines.count - 1].prefix(column))
            default:
                if column == columns {
                    (wraps, column) = (wraps + 1, 0)
                    lines.append("")
                }
                put(Character(scalar), at: column)
                column += 1
            }
        }
    }

    private mutating func put(_ character: Character, at column: Int) {
        var line = Array(lines[lines.count - 1])
        while line.count <= column { line.append(" ") }
        line[column] = character
        lines[lines.count - 1] = String(line)
    }
}
