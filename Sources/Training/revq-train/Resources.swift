import ArgumentParser

/// Options of every command that runs for long. They change speed and safety, never results.
struct Resources: ParsableArguments {
    @OptionGroup var threads: Threads

    @Option(help: "Minutes between two saves: what a crash can cost.")
    var saveMinutes = 5.0

    var saveInterval: Duration { .seconds(saveMinutes * 60) }

    func validate() throws {
        guard (0...1440).contains(saveMinutes) else { throw ValidationError("--save-minutes is in 0...1440, not \(saveMinutes)") }
    }
}
