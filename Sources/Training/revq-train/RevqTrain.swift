import ArgumentParser

@main
struct RevqTrain: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revq-train")
}
