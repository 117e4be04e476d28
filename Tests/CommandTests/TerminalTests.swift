import TestSupport
import Testing

@testable import Files

/// What commands show of their progress, as a terminal shows it.
@Suite struct TerminalTests {
    @Test(arguments: [40, 60, 80, 120], [[], ["NO_COLOR=1"]])
    func aTrainingsBarIsOneLineOfAnyWidth(columns: Int, environment: [String]) throws {
        try withScratchFolder { folder in
            let place = try TinyTraining.place(in: folder)
            let arguments = [
                "vae", "--images", place.pictures, "--output", folder + "/run", "--architecture", place.vae + "/config.json", "--size", "32",
                "--crop", "16", "--split", "60/15/25", "--split-seed", "3152", "--batch", "4", "--steps", "200",
            ]
            let screen = try recording(arguments, columns, environment)
            let bars = screen.lines.filter { $0.contains("/200") }
            #expect(bars.count == 1 && bars[0].contains("200/200 steps · 100 %") && bars[0].count < columns, "\(screen.lines)")
            if columns >= 80 { #expect(bars[0].hasPrefix("[██████████") && bars[0].contains("PSNR")) }
        }
    }

    @Test(arguments: [40, 60, 80, 120])
    func aFitsBarIsOneLineOfAnyWidth(columns: Int) throws {
        try withScratchFolder { folder in
            _ = try TinyTraining.extraction(TinyTraining.place(in: folder), to: folder + "/latents").run { false }
            let arguments = [
                "fit", "--latents", folder + "/latents", "--output", folder + "/run", "--tokens", "192", "--codes", "4", "--passes", "40",
            ]
            let screen = try recording(arguments, columns, [])
            let bars = screen.lines.filter { $0.contains("/120") }
            #expect(bars.count == 1 && bars[0].contains("120/120 images · 100 %") && bars[0].count < columns, "\(screen.lines)")
        }
    }

    /// No carriage returns and no orders to a terminal in what is no terminal, or one that cannot.
    @Test(arguments: [false, true])
    func whatIsNoTerminalGetsLines(isDumb: Bool) throws {
        try withScratchFolder { folder in
            let ended = try TrainCommand.run(
                ["synthesize", "--output", folder + "/pictures", "--count", "20", "--size", "32"],
                terminal: isDumb ? PseudoTerminal(columns: 80) : nil, environment: ["TERM=\(isDumb ? "dumb" : "xterm")"])
            let text = ended.errors.replacing("\r\n", with: "\n")
            #expect(ended.status == 0 && !text.contains("\r") && !text.contains("\u{1B}") && text.contains("20/20 images · 100 %"), "\(text)")
        }
    }

    private func recording(_ arguments: [String], _ columns: Int, _ environment: [String]) throws -> TerminalScreen {
        let ended = try TrainCommand.run(arguments, terminal: PseudoTerminal(columns: columns), environment: ["TERM=xterm"] + environment)
        #expect(ended.status == 0, "\(ended.errors)")
        return TerminalScreen(ended.errors, columns: columns)
    }
}
