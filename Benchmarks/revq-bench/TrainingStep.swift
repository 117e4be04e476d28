import ArgumentParser
import Compute
import Fitting
import Glibc
import Networks
import TokenizerCore

/// The half of `training_step.py` that runs here: one training step of the paper's 512-token setting for each line of standard input.
struct TrainingStep: ThreadedCommand {
    static let configuration = CommandConfiguration(
        commandName: "training-step", abstract: "Takes training steps for training_step.py: one JSON line for each line of standard input.")

    @Option(help: "Images per step.")
    var batch = 64
    @Option(help: "Threads; all cores by default.")
    var threads: Int?

    func run() throws {
        let shape = LatentShape(channels: 32, height: 8, width: 8)
        let layout = try GroupQuantizer.Layout(tokens: 512, codes: 16_384, latents: shape.count, codebooks: 512)
        var random = RandomSource(seed: 1, stream: 0)
        var codebooks = Tensor(uninitialized: [512, 16_384, 4])
        random.fill(normal: &codebooks)
        var latents = Tensor(uninitialized: [2 * batch] + shape.map)
        random.fill(normal: &latents)
        let rectifier = RectifierConfiguration(.vit(width: 512, depth: 3, headDimension: 32, scales: [5]), isResidual: false)
        var trainer = QuantizerTrainer(
            GroupQuantizer(layout, shape: shape, codebooks: codebooks), Rectifier(rectifier, shape: shape, .random(seed: 1)),
            options: .init(epochs: 1000, batch: batch, learningRate: 0.01, reset: .none, movesCodes: true), imageCount: latents.n, seed: 1)
        codebooks = Tensor(zeros: [0])
        while readLine() != nil {
            let start = ContinuousClock.now
            let losses = trainer.advance(on: Latents(latents))
            let seconds = start.duration(to: .now).milliseconds / 1000
            var usage = rusage()
            getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
            print(
                "{\"seconds\": \(seconds), \"quantized\": \(losses.quantized), \"rectified\": \(losses.rectified), \"peak_bytes\": \(usage.ru_maxrss * 1024)}"
            )
            fflush(nil)
        }
    }
}
