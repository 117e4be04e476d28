import Testing

@testable import Jobs

@Suite struct ProgressBarTests {
    @Test func namesOfFilesCannotCommandTheTerminal() {
        var lines: [String] = []
        Console(isTerminal: true) { lines.append($0) }.say("skipped: a\u{1B}[2J\n.png")
        #expect(lines == ["skipped: a\u{FFFD}[2J\u{FFFD}.png\n"])
    }

    @Test func showsShareFiguresRateAndTimeLeft() {
        var bar = ProgressBar(total: 1000, unit: "step", style: .log)
        #expect(
            bar.update(done: 250, figures: ["loss 0.5"], elapsed: .seconds(100))
                == "250/1000 steps · 25 % · loss 0.5 · 2.5 steps/s · 5:00 left\n")
    }

    @Test func resumedWorkDoesNotCountForTheRate() {
        var bar = ProgressBar(total: 100, start: 90, unit: "image", style: .log)
        #expect(bar.update(done: 95, elapsed: .seconds(5)) == "95/100 images · 95 % · 1.0 images/s · 0:05 left\n")
        #expect(bar.update(done: 100, elapsed: .seconds(10)) == "100/100 images · 100 % · 1.0 images/s · took 0:10\n")
    }

    @Test func logLinesAreRare() {
        var bar = ProgressBar(total: 1000, unit: "step", style: .log)
        #expect(bar.update(done: 1, elapsed: .seconds(1)) != nil)
        #expect(bar.update(done: 100, elapsed: .seconds(9)) == nil)
        #expect(bar.update(done: 40, elapsed: .seconds(11)) == nil)
        #expect(bar.update(done: 60, elapsed: .seconds(11)) != nil)
        #expect(bar.update(done: 61, elapsed: .seconds(71)) != nil)
    }

    @Test func terminalLineIsRedrawnInPlace() {
        var bar = ProgressBar(total: 4, unit: "step", style: .terminal)
        #expect(bar.update(done: 1, elapsed: .seconds(1)) == "\r\u{1B}[K[█████···············] 1/4 steps · 25 % · 1.0 steps/s · 0:03 left")
        #expect(bar.update(done: 2, elapsed: .milliseconds(1050)) == nil)
        #expect(bar.update(done: 4, elapsed: .milliseconds(1060)) != nil)
    }

    @Test func longTimesHaveHours() {
        #expect(Figure.clock(3723) == "1:02:03")
        #expect(Figure.clock(.infinity).hasSuffix(":40"))
    }

    @Test func theLineFitsTheTerminal() {
        for columns in [1, 20, 40, 60, 80, 120] {
            var bar = ProgressBar(total: 1_281_167, unit: "image", style: .terminal)
            _ = bar.update(done: 1, elapsed: .seconds(1), columns: columns)
            let figures = ["distortion 0.01234", "held_out_distortion 0.02345", "held_out_mse 0.03456"]
            let text = bar.update(done: 345_678, figures: figures, elapsed: .seconds(4000), columns: columns)!
            let line = text.dropFirst("\r\u{1B}[K".count)
            #expect(line.count < columns || columns == 1 && line.isEmpty, "\(columns): \(line)")
            if columns >= 60 { #expect(line.hasPrefix("[██") && line.hasSuffix(" left")) }
            if columns >= 40 { #expect(line.contains("345678/1281167 images · 26 %")) }
            if columns >= 120 { #expect(line.contains("distortion 0.01234")) }
        }
    }

    @Test func theTerminalsWidthIsAskedForEveryLine() {
        var (columns, lines): (Int, [String]) = (120, [])
        let console = Console(isTerminal: true, columns: { columns }) { lines.append($0) }
        console.begin(total: 10, unit: "cell")
        console.update(done: 1, figures: ["what is measured in this cell"])
        columns = 40
        console.update(done: 10, figures: ["what is measured in this cell"])
        #expect(lines[0].contains("what is measured") && !lines[1].contains("what is measured"))
    }

    /// After an hour at one a second, a minute at ten a second.
    @Test func theTimeLeftFollowsTheRecentSpeed() {
        var bar = ProgressBar(total: 7200, unit: "step", style: .terminal)
        for second in 1...3600 { _ = bar.update(done: second, elapsed: .seconds(second)) }
        for second in 1...90 { _ = bar.update(done: 3600 + 10 * second, elapsed: .seconds(3600 + second)) }
        #expect(bar.update(done: 4510, elapsed: .seconds(3691))!.hasSuffix("10.0 steps/s · 4:29 left"))
    }

    @Test func oneOfThemIsSaidInTheSingular() {
        var bar = ProgressBar(total: 1, unit: "image", style: .log)
        #expect(bar.update(done: 1, elapsed: .seconds(2)) == "1/1 image · 100 % · 0.5 images/s · took 0:02\n")
        #expect([0, 1, 2].map { Figure.count($0, "image") } == ["0 images", "1 image", "2 images"])
    }
}
