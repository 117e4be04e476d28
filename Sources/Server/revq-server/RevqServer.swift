import ArgumentParser

@main
struct RevqServer: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revq-server")
}
