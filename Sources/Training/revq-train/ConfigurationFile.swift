import ArgumentParser

/// The file that a command's options may come from. ``CommandOptions/expanding(_:of:)`` has put them behind the others by the time that the
/// command is parsed.
struct ConfigurationFile: ParsableArguments {
    @Option(
        help:
            "Options from a file: lines of \"name: value\", or a JSON object, by the names of this list without their dashes. Those of the command line win."
    )
    var config: String?
}
