/// What a long job shows about itself: how far it is, a few figures, its rate and the time left.
///
/// A pure value: time and the terminal's width come in as arguments and text goes out, so that the same bar serves terminals, log files and
/// tests. It has no colours, so there is nothing that NO_COLOR would have to switch off.
package struct ProgressBar {
    package enum Style: Sendable {
        /// One line, redrawn in place.
        case terminal
        /// A new line every ten seconds or twentieth of the job, whichever is rarer.
        case log
    }

    /// How far the job was at some moment.
    private struct Sample {
        let done: Int
        let elapsed: Duration
    }

    private let total: Int
    private let unit: String
    private let style: Style
    private let start: Int
    private var lastElapsed: Duration?
    private var lastDone: Int
    /// At most one a second, the oldest first: what is fast or slow now says more about what is left than the job's beginning does.
    private var recent: [Sample]

    private static let mostSamples = 60

    /// - Parameters:
    ///   - total: units of work in the whole job.
    ///   - start: units that were done before this process began; they do not count for the rate.
    ///   - unit: what is counted, in the singular; its plural takes an s.
    package init(total: Int, start: Int = 0, unit: String, style: Style) {
        self.total = total
        self.start = start
        self.unit = unit
        self.style = style
        lastDone = start
        recent = [Sample(done: start, elapsed: .zero)]
    }

    /// The text to write now, or nil when it is too early for another line.
    /// - Parameters:
    ///   - figures: what else to show, such as "loss 0.0123", the most important first.
    ///   - elapsed: time since this process began the job.
    ///   - columns: the terminal's width at this moment; a log's lines are as long as they are.
    package mutating func update(done: Int, figures: [String] = [], elapsed: Duration, columns: Int = 80) -> String? {
        let line = isDue(done, elapsed) ? Line(self, done, figures, elapsed) : nil
        note(Sample(done: done, elapsed: elapsed))
        guard let line else { return nil }
        lastElapsed = elapsed
        lastDone = done
        // The last column stays empty: a terminal may wrap when it is filled.
        return style == .terminal ? "\r\u{1B}[K\(line.fitted(to: columns - 1))" : line.whole + "\n"
    }

    private mutating func note(_ sample: Sample) {
        guard sample.elapsed - recent[recent.count - 1].elapsed >= .seconds(1) else { return }
        recent.append(sample)
        if recent.count > Self.mostSamples { recent.removeFirst() }
    }

    private func isDue(_ done: Int, _ elapsed: Duration) -> Bool {
        guard let lastElapsed, done < total else { return true }
        switch style {
        case .terminal: return elapsed - lastElapsed >= .milliseconds(100)
        case .log: return elapsed - lastElapsed >= .seconds(10) && (done - lastDone) * 20 >= total || elapsed - lastElapsed >= .seconds(60)
        }
    }

    /// Units a second: of late while the job goes on, over all of it in the end.
    private func rate(_ done: Int, _ elapsed: Duration) -> Double {
        let since = done < total ? recent[0] : Sample(done: start, elapsed: .zero)
        return Double(done - since.done) / max((elapsed - since.elapsed) / .seconds(1), 1e-3)
    }

    /// What there is to say at one moment.
    private struct Line {
        private let share: Double
        private let count, percent: String
        private let figures: [String]
        private let rate, time: String?

        init(_ bar: ProgressBar, _ done: Int, _ figures: [String], _ elapsed: Duration) {
            let units = bar.total == 1 ? bar.unit : bar.unit + "s"
            share = min(1, Double(done) / Double(max(bar.total, 1)))
            (count, percent) = ("\(done)/\(bar.total) \(units)", "\(done * 100 / max(bar.total, 1)) %")
            self.figures = figures
            let speed = bar.rate(done, elapsed)
            rate = done > bar.start ? "\(Figure.threeDigits(speed)) \(bar.unit)s/s" : nil
            if done >= bar.total {
                time = done > bar.start ? "took \(Figure.clock(elapsed / .seconds(1)))" : nil
            } else {
                time = speed > 0 ? "\(Figure.clock(Double(bar.total - done) / speed)) left" : nil
            }
        }

        var whole: String { text(bar: 0, figures: figures.count, hasRate: true) }

        /// As much as there is room for: first the bar gives way, then figures from the last one on, then the rate, then the bar altogether.
        func fitted(to columns: Int) -> String {
            let all = figures.count
            let fewer = stride(from: all - 1, through: 0, by: -1).map { text(bar: 10, figures: $0, hasRate: true) }
            let lines =
                [text(bar: 20, figures: all, hasRate: true), text(bar: 10, figures: all, hasRate: true)] + fewer
                + [text(bar: 10, figures: 0, hasRate: false), text(bar: 0, figures: 0, hasRate: false), "\(count) · \(percent)"]
            return lines.first { $0.count <= columns } ?? String(lines[lines.count - 1].prefix(max(0, columns)))
        }

        private func text(bar width: Int, figures: Int, hasRate: Bool) -> String {
            let parts = [count, percent] + self.figures.prefix(figures) + [hasRate ? rate : nil, time].compactMap { $0 }
            let text = parts.joined(separator: " · ")
            guard width > 0 else { return text }
            let filled = Int(share * Double(width))
            return "[" + String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled) + "] " + text
        }
    }
}
