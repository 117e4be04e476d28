import ArgumentParser
import Networks

/// Which network corrects the quantised latents, as options of a command.
struct RectifierOptions: ParsableArguments {
    enum Network: String, CaseIterable, ExpressibleByArgument {
        case identity, vit, mlp, cnn, linear
    }

    fileprivate static let usualWidth = 512, usualDepth = 3, usualHead = 32, usualRank = 128, usualReach = 3

    @Option(help: "identity, vit, mlp, cnn, or linear (solved for in closed form). (default: \(RectifierOptions.Network.identity.rawValue))")
    var rectifier: Network?
    @Option(help: "Channels of the vit or cnn, or width of the mlp. (default: \(RectifierOptions.usualWidth))")
    var rectifierWidth: Int?
    @Option(help: "Blocks of the vit, mlp or cnn. (default: \(RectifierOptions.usualDepth))")
    var rectifierDepth: Int?
    @Option(help: "Channels of an attention head of the vit. (default: \(RectifierOptions.usualHead))")
    var rectifierHead: Int?
    @Option(help: "Channels of the cnn's 3×3 convolutions. (default: \(RectifierOptions.usualRank))")
    var rectifierRank: Int?
    @Option(help: "Side of the neighbourhood that the linear rectifier sees, odd; 0 is the whole image. (default: \(RectifierOptions.usualReach))")
    var rectifierReach: Int?
    @Flag(help: "Add the rectifier's answer to the quantised latents instead of replacing them.")
    var residual = false

    /// Sets what was given.
    /// - Throws: when an option does not fit the network.
    func change(_ configuration: inout RectifierConfiguration) throws {
        if let rectifier { configuration = RectifierConfiguration(rectifier.usual, isResidual: false) }
        let network = Network(configuration.network)
        for (name, isGiven) in given where isGiven && !network.options.contains(name) {
            throw ValidationError("\(name) does not go with the \(network) rectifier" + (rectifier == nil ? ": choose one with --rectifier" : ""))
        }
        switch configuration.network {
        case .identity: break
        case .vit(let width, let depth, let head, let scales):
            configuration.network = .vit(
                width: rectifierWidth ?? width, depth: rectifierDepth ?? depth, headDimension: rectifierHead ?? head, scales: scales)
        case .mlp(let width, let depth): configuration.network = .mlp(width: rectifierWidth ?? width, depth: rectifierDepth ?? depth)
        case .cnn(let width, let depth, let rank):
            configuration.network = .cnn(width: rectifierWidth ?? width, depth: rectifierDepth ?? depth, rank: rectifierRank ?? rank)
        case .linear(let reach):
            configuration.network = .linear(reach: rectifierReach.map { $0 == 0 ? .image : .neighbourhood(size: $0) } ?? reach)
        }
        if residual { configuration.isResidual = true }
    }

    /// Sets what was not given, of what goes with the network.
    mutating func complete(_ configuration: RectifierConfiguration) {
        (rectifier, residual) = (Network(configuration.network), configuration.isResidual)
        switch configuration.network {
        case .identity: break
        case .vit(let width, let depth, let head, _): (rectifierWidth, rectifierDepth, rectifierHead) = (width, depth, head)
        case .mlp(let width, let depth): (rectifierWidth, rectifierDepth) = (width, depth)
        case .cnn(let width, let depth, let rank): (rectifierWidth, rectifierDepth, rectifierRank) = (width, depth, rank)
        case .linear(reach: .image): rectifierReach = 0
        case .linear(reach: .neighbourhood(let size)): rectifierReach = size
        }
    }

    private var given: [(name: String, isGiven: Bool)] {
        [
            ("--rectifier-width", rectifierWidth != nil), ("--rectifier-depth", rectifierDepth != nil), ("--rectifier-head", rectifierHead != nil),
            ("--rectifier-rank", rectifierRank != nil), ("--rectifier-reach", rectifierReach != nil), ("--residual", residual),
        ]
    }
}

extension RectifierOptions.Network {
    fileprivate init(_ network: RectifierConfiguration.Network) {
        self =
            switch network {
            case .identity: .identity
            case .vit: .vit
            case .mlp: .mlp
            case .cnn: .cnn
            case .linear: .linear
            }
    }

    /// Of the size that it has without further options.
    fileprivate var usual: RectifierConfiguration.Network {
        switch self {
        case .identity: .identity
        case .vit:
            .vit(
                width: RectifierOptions.usualWidth, depth: RectifierOptions.usualDepth, headDimension: RectifierOptions.usualHead, scales: [5])
        case .mlp: .mlp(width: RectifierOptions.usualWidth, depth: RectifierOptions.usualDepth)
        case .cnn: .cnn(width: RectifierOptions.usualWidth, depth: RectifierOptions.usualDepth, rank: RectifierOptions.usualRank)
        case .linear: .linear(reach: .neighbourhood(size: RectifierOptions.usualReach))
        }
    }

    /// The options that say more about it.
    fileprivate var options: Set<String> {
        switch self {
        case .identity: []
        case .vit: ["--rectifier-width", "--rectifier-depth", "--rectifier-head", "--residual"]
        case .mlp: ["--rectifier-width", "--rectifier-depth", "--residual"]
        case .cnn: ["--rectifier-width", "--rectifier-depth", "--rectifier-rank", "--residual"]
        case .linear: ["--rectifier-reach", "--residual"]
        }
    }
}
