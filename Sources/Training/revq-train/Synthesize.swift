import ArgumentParser
import Jobs
import Pictures

struct Synthesize: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fills a folder with procedural pictures that have the statistics of photographs.",
        discussion: """
            Goes on where it was interrupted. The same seed gives the same pictures on every machine.

            Examples:
              revq-train synthesize --output pictures --count 6000 --seed 1
            """)

    @Option(help: "The folder to fill; made where it is missing.")
    var output: String

    @Option(help: "How many pictures the folder shall hold.")
    var count: Int

    @Option(help: "The side of the square pictures, in pixels.")
    var size = 256

    @Option(help: "Different seeds give different pictures.")
    var seed: UInt64 = 0

    @OptionGroup var threads: Threads
    @OptionGroup var file: ConfigurationFile

    func run() throws {
        let console = Console()
        let done = try Synthesis(directory: output, count: count, size: size, seed: seed).run(console)
        guard done == count else {
            try console.stop("stopped with \(done) of \(Figure.count(count, "picture")) in \(output); the same command goes on from here")
        }
        console.say("done: \(Figure.count(count, "picture")) in \(output)")
    }
}
