import ArgumentParser
import Jobs
import Laboratory

struct Runs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks at runs: which there are, and how they differ.",
        discussion: """
            Examples:
              revq-train runs list runs
              revq-train runs compare runs/vae runs/vae-slow --output comparison.html
            """,
        subcommands: [ListRuns.self, CompareRuns.self])
}

struct ListRuns: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the runs under a folder: command, state, steps, time, and the latest figure.",
        discussion: """
            A run is running, finished, or unfinished, and then goes on with the command that began it.

            Examples:
              revq-train runs list runs
            """)

    @Argument(help: "A folder with runs, at most four folders deep.")
    var folder: String

    func run() throws {
        print(try RunList(folder).text, terminator: "")
    }
}

struct CompareRuns: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares runs: options that differ, curves, and final figures.",
        discussion: """
            Examples:
              revq-train runs compare runs/vae runs/vae-slow
              revq-train runs compare runs/vae runs/vae-slow --output comparison.html
            """)

    @Argument(help: "The folders of the runs.")
    var runs: [String]

    @Option(help: "Also write one HTML file, which needs nothing else.")
    var output: String?

    func validate() throws {
        guard runs.count >= 2 else { throw ValidationError("name two runs or more") }
    }

    func run() throws {
        let comparison = try RunComparison(runs)
        print(comparison.text, terminator: "")
        if let output {
            try comparison.report.write(to: output)
            Console().say("done: \(output)")
        }
    }
}
