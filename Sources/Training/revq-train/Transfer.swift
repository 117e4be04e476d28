import ArgumentParser
import Fitting
import Laboratory

struct Transfer: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Experiment: fitted on one kind of pictures, measured on another.",
        discussion: "Once with the fitted statistics, once with those of the second domain; beside both domains' own quantisers.")

    @OptionGroup var laboratory: LaboratoryArguments
    @Option(help: "Pictures of the second domain, as --images.")
    var toImages: String?
    @Option(help: "Latents of the second domain, as --latents.")
    var toLatents: String?
    @OptionGroup var quantizer: QuantizerArguments
    @Option(help: "Passes of Lloyd's algorithm.")
    var passes = 10

    func validate() throws {
        if toImages == nil && toLatents == nil { throw ValidationError("name --to-images, --to-latents or both") }
    }

    var threads: Threads { laboratory.threads }

    func run() throws {
        var wanted = QuantizerOptions(tokens: 512, codes: 1024, sharing: .one)
        quantizer.change(&wanted)
        let options = TransferExperiment.Options(quantizer: wanted, passes: passes, seed: laboratory.seed)
        var second = laboratory.source
        (second.images, second.latents) = (toImages, toLatents)
        try laboratory.run("transfer", options: options, others: [second]) { domains in
            try TransferExperiment(from: domains[0], to: domains[1], options)
        }
    }
}
