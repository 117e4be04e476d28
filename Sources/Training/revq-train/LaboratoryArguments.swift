import ArgumentParser
import Files
import Jobs
import Laboratory

/// Which autoencoders an experiment is about.
protocol AutoencoderArguments: ParsableArguments {
    /// Their folders, one or more.
    var folders: [String] { get }
}

/// An experiment's one autoencoder.
struct OneAutoencoder: AutoencoderArguments {
    @Option(help: "The autoencoder: a folder of the diffusers layout.")
    var vae: String

    var folders: [String] { [vae] }
}

/// Autoencoders that an experiment compares.
struct SeveralAutoencoders: AutoencoderArguments {
    @Option(parsing: .upToNextOption, help: "The autoencoder, or several to compare: folders of the diffusers layout.")
    var vae: [String]

    var folders: [String] { vae }
}

/// What every experiment asks for: autoencoders, images or cached latents, and a folder for its results.
struct LaboratoryArguments<Autoencoders: AutoencoderArguments>: ParsableArguments {
    @OptionGroup var autoencoders: Autoencoders
    @Option(help: "PNG and JPEG files: a folder, a .tar file, or a list of such paths; only needed where there are no latents.")
    var images: String?
    @Option(help: "A folder that extract filled, or is to be filled from --images; by default one in the output.")
    var latents: String?
    @Option(help: "The folder of this experiment: results.json and report.html. The same command goes on where it stopped.")
    var output: String
    @Option(help: "Images are brought to squares of this side first.")
    var size = 256
    @OptionGroup var split: SplitOptions
    @Option(help: "Different seeds give different noise, first codes and orders.")
    var seed: UInt64 = 0
    @OptionGroup var perceptual: PerceptualWeights
    @OptionGroup var threads: Threads
    @OptionGroup var file: ConfigurationFile

    func validate() throws {
        if images == nil && latents == nil { throw ValidationError("name --images, --latents or both") }
        if latents != nil && autoencoders.folders.count > 1 {
            throw ValidationError("--latents are one autoencoder's: with several name --images")
        }
    }

    /// A domain for each autoencoder.
    var sources: [LatentDomain.Source] {
        get throws {
            let split = try split.given
            return autoencoders.folders.map { LatentDomain.Source(vae: $0, images: images, latents: latents, size: size, split: split) }
        }
    }

    /// Runs an experiment on the domains that were named.
    ///
    /// - Parameters:
    ///   - command: the one that was called.
    ///   - options: what else decides the figures.
    ///   - others: further domains that the experiment needs.
    ///   - make: the experiment on all of them.
    func run<E: Experiment>(
        _ command: some ParsableCommand, options: some Encodable, others: [LatentDomain.Source] = [], _ make: ([LatentDomain]) throws -> E
    ) throws {
        let console = Console()
        let networks = try perceptual.networks(imageSize: size)
        let record = Record(sources: try sources + others, inception: perceptual.inception, lpips: perceptual.lpips, seed: seed, options: options)
        let run = try ExperimentRun(type(of: command)._commandName, in: output, options: record, console: console)
        try run.directory.keep(options: CommandOptions.text(of: command))
        var domains: [LatentDomain] = []
        for (index, source) in record.sources.enumerated() {
            guard let domain = try LatentDomain(source, in: run.directory.path, number: index, networks: networks, console: console) else {
                try console.stop()
            }
            domains.append(domain)
        }
        let facts = domains[0].facts + perceptual.facts + Report.Fact.thisMachine
        let isComplete = try run.run(try make(domains), source: domains.map(\.digest), facts: facts)
        guard isComplete else { try console.stop() }
        console.say("done: \(output)/report.html")
    }

    private struct Record<Options: Encodable>: Encodable {
        let sources: [LatentDomain.Source]
        let inception, lpips: String?
        let seed: UInt64
        let options: Options
    }
}

/// Weights of published classifiers, for figures that are defined by them.
struct PerceptualWeights: ParsableArguments {
    @Option(help: "Weights of the Inception network (safetensors, names of pytorch-fid), for rFID and KID.")
    var inception: String?
    @Option(help: "Weights of LPIPS or ST-LPIPS, on AlexNet, VGG or SqueezeNet (a file of Tools/perceptual.py).")
    var lpips: String?

    func networks(classifier: String? = nil, imageSize: Int) throws(FileError) -> PerceptualNetworks {
        try PerceptualNetworks(inception: inception, classifier: classifier, lpips: lpips, imageSize: imageSize)
    }

    var digests: [FileDigest] {
        get throws(FileError) { try [inception, lpips].compactMap { $0 }.map { path throws(FileError) in try FileDigest(of: path) } }
    }

    var facts: [Report.Fact] {
        [("rFID, KID", inception), ("LPIPS", lpips)].map { Report.Fact($0, $1 ?? "not measured: no weights were given") }
    }
}
