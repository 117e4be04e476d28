import ArgumentParser
import TokenizerCore

/// Which network corrects the quantised latents, as options of a command.
struct RectifierOptions: ParsableArguments {
    enum Network: String, CaseIterable, ExpressibleByArgument {
        case identity, vit, mlp, cnn, linear
    }

    @Option(help: "identity, vit, mlp, cnn, or linear (solved for in closed form). (default: identity)")
    var rectifier: Network?
    @Option(help: "Channels of the vit or cnn, or width of the mlp.")
    var rectifierWidth = 512
    @Option(help: "Blocks of the rectifier.")
    var rectifierDepth = 3
    @Option(help: "Channels of an attention head of the vit.")
    var rectifierHead = 32
    @Option(help: "Channels of the cnn's 3×3 convolutions.")
    var rectifierRank = 128
    @Option(help: "Side of the neighbourhood that the linear rectifier sees, odd; 0 is the whole image.")
    var rectifierReach = 3
    @Flag(help: "Add the rectifier's answer to the quantised latents instead of replacing them.")
    var residual = false

    /// Nil where none was asked for.
    var configuration: RectifierConfiguration? {
        rectifier.map { RectifierConfiguration(network($0), isResidual: residual && $0 != .identity) }
    }

    private func network(_ rectifier: Network) -> RectifierConfiguration.Network {
        switch rectifier {
        case .identity: .identity
        case .vit: .vit(width: rectifierWidth, depth: rectifierDepth, headDimension: rectifierHead, scales: [5])
        case .mlp: .mlp(width: rectifierWidth, depth: rectifierDepth)
        case .cnn: .cnn(width: rectifierWidth, depth: rectifierDepth, rank: rectifierRank)
        case .linear: .linear(reach: rectifierReach == 0 ? .image : .neighbourhood(size: rectifierReach))
        }
    }
}
