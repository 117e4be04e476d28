import ArgumentParser
import Laboratory

struct Tolerance: ComputingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Experiment: how much noise a frozen decoder tolerates in its latents.",
        discussion: "Noise in raw and normalised units, on all channels and on each alone; finds the knee.")

    @OptionGroup var laboratory: LaboratoryArguments

    var threads: Threads { laboratory.threads }

    func run() throws {
        try laboratory.run("tolerance", options: [String: Int]()) { domains in try ToleranceExperiment(domains[0], seed: laboratory.seed) }
    }
}
