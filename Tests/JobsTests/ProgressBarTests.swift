import Testing

@testable import Jobs

@Suite struct ProgressBarTests {
    @Test func namesOfFilesCannotCommandTheTerminal() {
        var lines: [String] = []
        Console(isTerminal: true) { lines.append($0) }.say("skipped: a\u{1B}[2J\n.png")
        #expect(lines == ["skipped: a\u{FFFD}[2J\u{FFFD}.png\n"])
    }

    @Test func showsShareFiguresRateAndTimeLeft() {
        var bar = ProgressBar(total: 1000, unit: "steps", style: .log)
        #expect(
            bar.update(done: 250, figures: ["loss 0.5"], elapsed: .seconds(100))
                == "250/1000 steps · 25 % · loss 0.5 · 2.5 steps/s · 5:00 left\n")
    }

    @Test func resumedWorkDoesNotCountForTheRate() {
        var bar = ProgressBar(total: 100, start: 90, unit: "images", style: .log)
        #expect(bar.update(done: 95, elapsed: .seconds(5)) == "95/100 images · 95 % · 1.0 images/s · 0:05 left\n")
        #expect(bar.update(done: 100, elapsed: .seconds(10)) == "100/100 images · 100 % · 1.0 images/s · took 0:10\n")
    }

    @Test func logLinesAreRare() {
        var bar = ProgressBar(total: 1000, unit: "steps", style: .log)
        #expect(bar.update(done: 1, elapsed: .seconds(1)) != nil)
        #expect(bar.update(done: 100, elapsed: .seconds(9)) == nil)
        #expect(bar.update(done: 40, elapsed: .seconds(11)) == nil)
        #expect(bar.update(done: 60, elapsed: .seconds(11)) != nil)
        #expect(bar.update(done: 61, elapsed: .seconds(71)) != nil)
    }

    @Test func terminalLineIsRedrawnInPlace() {
        var bar = ProgressBar(total: 4, unit: "steps", style: .terminal)
        #expect(bar.update(done: 1, elapsed: .seconds(1)) == "\r\u{1B}[K[█████···············] 1/4 steps · 25 % · 1.0 steps/s · 0:03 left")
        #expect(bar.update(done: 2, elapsed: .milliseconds(1050)) == nil)
        #expect(bar.update(done: 4, elapsed: .milliseconds(1060)) != nil)
    }

    @Test func longTimesHaveHours() {
        #expect(ProgressBar.clock(3723) == "1:02:03")
        #expect(ProgressBar.clock(.infinity).hasSuffix(":40"))
    }
}
