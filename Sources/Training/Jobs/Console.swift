import Glibc

/// Where a job shows its progress and its warnings.
package final class Console {
    private var bar: ProgressBar?
    private let clock = ContinuousClock()
    private var began: ContinuousClock.Instant
    private let isTerminal: Bool
    private let columns: () -> Int
    private let write: (String) -> Void
    private var isLineOpen = false

    /// Standard error, as a bar redrawn in place where that is a terminal that can.
    package convenience init() {
        let kind = getenv("TERM").map { String(cString: $0) }
        self.init(isTerminal: isatty(STDERR_FILENO) == 1 && kind != "dumb", columns: Self.terminalColumns) { text in
            // Progress that cannot be shown is no reason to stop the work.
            _ = Array(text.utf8).withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }
    }

    /// - Parameter columns: the terminal's width; asked for every line, because people resize windows.
    package init(isTerminal: Bool, columns: @escaping () -> Int = { 80 }, write: @escaping (String) -> Void) {
        self.isTerminal = isTerminal
        self.columns = columns
        self.write = write
        began = clock.now
    }

    /// Starts a new bar; see ``ProgressBar/init(total:start:unit:style:)``.
    package func begin(total: Int, start: Int = 0, unit: String) {
        closeLine()
        began = clock.now
        bar = ProgressBar(total: total, start: start, unit: unit, style: isTerminal ? .terminal : .log)
    }

    package func update(done: Int, figures: [String] = []) {
        guard let text = bar?.update(done: done, figures: figures, elapsed: clock.now - began, columns: columns()) else { return }
        write(text)
        isLineOpen = isTerminal
    }

    /// Writes a line of its own, below the bar. File names come from strangers, so control characters become U+FFFD.
    package func say(_ text: String) {
        closeLine()
        write(text.withoutControls + "\n")
    }

    package func closeLine() {
        if isLineOpen { write("\n") }
        isLineOpen = false
    }

    /// What the terminal says, or, where it does not know, the environment.
    private static func terminalColumns() -> Int {
        var size = winsize()
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return getenv("COLUMNS").flatMap { Int(String(cString: $0)) } ?? 80
    }
}

extension String {
    /// With U+FFFD for control characters, which a terminal would obey.
    package var withoutControls: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.value < 32 || (127..<160).contains($0.value) ? "\u{FFFD}" : $0 }))
    }
}
