/// What a long job shows about itself: how far it is, a few figures, its rate and the time left.
///
/// A pure value: time comes in as an argument and text goes out, so that the same bar serves terminals, log files and tests.
package struct ProgressBar {
    package enum Style: Sendable {
        /// One line, redrawn in place.
        case terminal
        /// A new line every ten seconds or twentieth of the job, whichever is rarer.
        case log
    }

    private let total: Int
    private let unit: String
    private let style: Style
    private let start: Int
    private var lastElapsed: Duration?
    private var lastDone: Int

    /// - Parameters:
    ///   - total: units of work in the whole job.
    ///   - start: units that were done before this process began; they do not count for the rate.
    ///   - unit: what is counted, in the plural.
    package init(total: Int, start: Int = 0, unit: String, style: Style) {
        self.total = total
        self.start = start
        self.unit = unit
        self.style = style
        lastDone = start
    }

    /// The text to write now, or nil when it is too early for another line.
    /// - Parameters:
    ///   - figures: what else to show, such as "loss 0.0123".
    ///   - elapsed: time since this process began the job.
    package mutating func update(done: Int, figures: [String] = [], elapsed: Duration) -> String? {
        guard isDue(done, elapsed) else { return nil }
        lastElapsed = elapsed
        lastDone = done
        let text = line(done, figures, elapsed)
        return style == .terminal ? "\r\u{1B}[K\(text)" : text + "\n"
    }

    private func isDue(_ done: Int, _ elapsed: Duration) -> Bool {
        guard let lastElapsed, done < total else { return true }
        switch style {
        case .terminal: return elapsed - lastElapsed >= .milliseconds(100)
        case .log: return elapsed - lastElapsed >= .seconds(10) && (done - lastDone) * 20 >= total || elapsed - lastElapsed >= .seconds(60)
        }
    }

    private func line(_ done: Int, _ figures: [String], _ elapsed: Duration) -> String {
        let rate = Double(done - start) / max(elapsed / .seconds(1), 1e-3)
        var parts = ["\(done)/\(total) \(unit)", "\(done * 100 / max(total, 1)) %"]
        parts += figures
        if done > start {
            parts.append("\(Self.threeDigits(rate)) \(unit)/s")
            parts.append(done < total ? "\(Self.clock(Double(total - done) / rate)) left" : "took \(Self.clock(elapsed / .seconds(1)))")
        }
        let text = parts.joined(separator: " · ")
        guard style == .terminal else { return text }
        let width = 20
        let filled = done * width / max(total, 1)
        return "[" + String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled) + "] " + text
    }

    /// Seconds as "1:02:03" or "2:03".
    static func clock(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e9).rounded())
        let twoDigits = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        let minutes = whole / 60
        return minutes < 60
            ? "\(minutes):\(twoDigits(whole % 60))" : "\(minutes / 60):\(twoDigits(minutes % 60)):\(twoDigits(whole % 60))"
    }

    /// A positive number with about three significant digits.
    static func threeDigits(_ x: Double) -> String {
        let decimals = x >= 100 ? 1.0 : x >= 10 ? 10.0 : 100.0
        let rounded = (x * decimals).rounded() / decimals
        return decimals == 1 ? "\(Int(rounded))" : "\(rounded)"
    }
}
