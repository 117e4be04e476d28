import Glibc

/// Where a job shows its progress and its warnings.
package final class Console {
    private var bar: ProgressBar?
    private let clock = ContinuousClock()
    private var began: ContinuousClock.Instant
    private let isTerminal: Bool
    private let write: (String) -> Void
    private var isLineOpen = false

    /// Standard error, as a bar redrawn in place where that is a terminal.
    package convenience init() {
        self.init(isTerminal: isatty(STDERR_FILENO) == 1) { text in
            // Progress that cannot be shown is no reason to stop the work.
            _ = Array(text.utf8).withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }
    }

    package init(isTerminal: Bool, write: @escaping (String) -> Void) {
        self.isTerminal = isTerminal
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
        guard let text = bar?.update(done: done, figures: figures, elapsed: clock.now - began) else { return }
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
}
