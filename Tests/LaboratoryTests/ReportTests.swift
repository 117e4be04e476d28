import Testing

@testable import Images
@testable import Jobs
@testable import Laboratory

@Suite struct ReportTests {
    @Test func aReportNeedsNothingButItself() {
        let plot = Plot(
            "loss < 1 & falling", x: PlotAxis("bits", .octaves), y: PlotAxis("MSE", .decades),
            series: [
                Plot.Series("ours", colour: 0, [.init(64, 0.1), .init(1024, 0.01)]),
                Plot.Series("paper", .published, colour: 0, [.init(64, 0.2)]),
                Plot.Series("Shannon", .bound, colour: 7, [.init(64, 0.05), .init(1024, 0.001)]),
                Plot.Series("not measured", colour: 3, []),
            ])
        let image = RGBImage(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        let report = Report(
            title: "A <b>title</b>", question: "How \"much\"?", facts: [Report.Fact("n", "3 & more")],
            sections: [
                Report.Section(
                    "First",
                    [
                        .text("a < b"), .plot(plot),
                        .table(ReportTable("t", columns: ["x", "y"], rows: [[.text("<"), .number(0.123456)], [.none, .decibels(24.1)]])),
                        .images(ImageGrid("g", columns: ["one"], rows: [.init("r", [image])])),
                    ])
            ])
        let html = report.html
        #expect(html.contains("A &lt;b&gt;title&lt;/b&gt;") && html.contains("a &lt; b") && html.contains("3 &amp; more") && !html.contains("<b>"))
        #expect(html.contains(">0.1235</td>") && html.contains(">24.10</td>"))
        #expect(html.contains("<img alt=\"r: one\" src=\"data:image/png;base64,iVBORw0KGgo"))
        #expect(!html.contains("http") && !html.contains("<script") && !html.contains("<link"))
        #expect(html.contains("stroke-dasharray=\"6 4\"") && html.contains("loss &lt; 1 &amp; falling") && !html.contains("not measured"))
        for tag in ["svg", "table", "figure", "section", "ul", "tr"] {
            #expect(html.occurrences("<\(tag)") == html.occurrences("</\(tag)>"), "\(tag)")
        }
    }

    @Test func axesHaveRoundTicksInsideTheirRange() {
        #expect(PlotAxis("x").ticks(in: 0...1) == [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1])
        #expect(PlotAxis("x", .octaves).ticks(in: 4.5...8) == [32, 64, 128, 256])
        #expect(PlotAxis("x", .decades).ticks(in: -2...1).map { Figure.text($0) } == ["0.01", "0.03", "0.1", "0.3", "1", "3", "10"])
        #expect(PlotAxis("x", .decades).ticks(in: -2.1 ... -1.9).count >= 3)
    }

    @Test func aLogarithmicAxisLeavesOutWhatItCannotShow() {
        let axis = PlotAxis("x", .decades)
        #expect(axis.shows(0.1) && !axis.shows(0) && !axis.shows(-1) && !axis.shows(.infinity))
        let plot = Plot("p", x: axis, y: PlotAxis("y"), series: [Plot.Series("s", colour: 0, [.init(0, 1), .init(1, .nan), .init(10, 2)])])
        #expect(Plot("p", x: axis, y: axis, series: []).html.isEmpty)
        #expect(!plot.html.contains("nan") && plot.html.occurrences("<circle") == 2, "one point and its swatch")
    }

    /// There is no epoch 1.2.
    @Test func countsHaveWholeTicks() {
        #expect(PlotAxis("epoch", .wholes).ticks(in: 0.9...3.1) == [1, 2, 3])
        #expect(PlotAxis("epoch", .wholes).ticks(in: 0...100) == [0, 20, 40, 60, 80, 100])
        #expect(PlotAxis("epoch").ticks(in: 0.9...3.1).contains(1.5))
    }

    /// One outlier would press all others into a corner.
    @Test func anAxisThatMayIsLogarithmicWhereTheRangeAsksForIt() {
        func scale(_ values: [Double], including: [Double] = []) -> Bool {
            let series = Plot.Series("s", colour: 0, values.enumerated().map { .init(Double($0), $1) })
            return Plot("p", x: PlotAxis("x"), y: PlotAxis("y", .fitting, including: including), series: [series]).html.contains("↑ y, logarithmic")
        }
        #expect(scale([0.9, 0.95, 14]) && scale([0.9, 0.95], including: [0.1]))
        #expect(!scale([0.9, 0.95, 1.2]) && !scale([0, 0.9, 14]) && !scale([-1, 20]) && !scale([.nan]))
    }

    @Test func curvesHaveNoMarkersAndPointsNoLine() {
        func drawn(_ style: Plot.Series.Style) -> String {
            let points = (1...3).map { Plot.Point(Double($0), Double($0)) }
            return Plot("p", x: PlotAxis("x"), y: PlotAxis("y"), series: [.init("s", style, colour: 0, points)]).html
        }
        #expect(drawn(.curve).occurrences("<circle") == 0 && drawn(.curve).occurrences("fill=\"none\"") == 2, "the curve and its swatch")
        #expect(drawn(.points).occurrences("<circle") == 4 && drawn(.points).occurrences("fill=\"none\"") == 0)
    }

    @Test func figuresKeepTheirDigits() {
        #expect(Figure.decimals(24.1, 2) == "24.10" && Figure.decimals(-0.004, 2) == "0.00" && Figure.decimals(-1.5, 0) == "-2")
        #expect(Figure.decimals(0.05, 3) == "0.050" && Figure.decimals(.infinity, 2) == "inf")
        #expect(Figure.text(0.012346) == "0.01235" && Figure.text(16384) == "16384" && Figure.text(0) == "0" && Figure.text(0.5) == "0.5")
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func occurrences(_ part: String) -> Int { ranges(of: part).count }

    @Test(arguments: [([], []), ([0], [0]), ([0, 5, 9], [0, 5, 9]), (Array(0...9), [0, 3, 6, 9]), ([0, 1, 2, 3, 7], [0, 1, 2, 7])])
    func aTrainingShowsItsFirstAndItsLastPictures(steps: [Int], shown: [Int]) {
        #expect(TrainingReport.spread(steps) == shown)
    }
}
