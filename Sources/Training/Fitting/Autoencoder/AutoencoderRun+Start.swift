import Compute
import Files
import Images
import Jobs
import Networks
import Pictures
import Ranks
import TokenizerCore

/// The trainer that a run begins with, or goes on with.
extension AutoencoderRun {
    /// Makes the trainer, from nothing or from what an earlier call has saved.
    func begin() throws(FileError) -> (AutoencoderTrainer, best: BestAutoencoder?) {
        let step = try ranks.decided { () throws(FileError) in try states.newest()?.step ?? -1 }
        let begun = try ranks.together { () throws(FileError) in try startOrResume(step < 0 ? nil : step) }
        try ranks.agree(on: [("weights that begin otherwise", begun.0.model.digest)])
        return begun
    }

    func sampler(side: Int) -> CropSampler {
        CropSampler(
            lessons, among: places(.training), side: side, scale: options.scale, augmentations: options.augmentations ?? [], seed: options.seed)
    }

    /// - Parameter step: of the saved state; nil where there is none.
    private func startOrResume(_ step: Int?) throws(FileError) -> (AutoencoderTrainer, best: BestAutoencoder?) {
        guard let step else { return (try firstTrainer(), nil) }
        let tensors = try states.tensors(step: step)
        console.say("going on at step \(step)")
        if let earlier = directory.grownFrom["options.training.steps"], step > 0 {
            let isSame = options.training.schedule.decay == .constant
            console.say("--steps grows from \(earlier): \(isSame ? Schedule.remarkOnEquality : Schedule.remarkOnDecay)")
        }
        let trainer = try AutoencoderTrainer(
            options.architecture, tokens: tokens, loss: loss, options: options.training, seed: options.seed, step: step,
            ranks: ranks, restoring: tensors)
        return (trainer, try BestAutoencoder(options.architecture, restoring: tensors))
    }

    /// Before the first step.
    func firstTrainer() throws(FileError) -> AutoencoderTrainer {
        if let start = options.start {
            let model = Autoencoder(options.architecture, extending: try Autoencoder(directory: start.vae), .random(seed: options.seed))
            if let tokens {
                return AutoencoderTrainer(model, tokens: tokens, loss: loss, options: options.training, seed: options.seed, ranks: ranks)
            }
            return AutoencoderTrainer(
                model, variances: try variances(of: model), loss: loss, options: options.training, seed: options.seed, ranks: ranks)
        }
        var model = Autoencoder(options.architecture, .random(seed: options.seed))
        var variances = [Double](repeating: 1, count: options.architecture.latentChannels)
        if options.architecture.family is PatchCodeConfiguration { variances = try startFromPrincipalComponents(&model) }
        return AutoencoderTrainer(model, variances: variances, loss: loss, options: options.training, seed: options.seed, ranks: ranks)
    }

    /// - Returns: the variance that each latent channel carries.
    private func startFromPrincipalComponents(_ model: inout Autoencoder) throws(FileError) -> [Double] {
        let pixels = try sampler(side: options.size).crops(count: Self.basisImages, step: 0)
        let basis = PatchBasis(
            patches: Autoencoder.patches(of: pixels, factor: options.architecture.factor),
            components: options.architecture.latentChannels, seed: options.seed)
        // One scale for all, so that an error of any latent is an equal error of the pixels: a gradient step then moves none of them by
        // more than it is worth, and the decoder sees most of what matters most.
        let scale = (Double(basis.variances.count) / basis.variances.reduce(0, +)).squareRoot()
        model.setPatchCode(mean: basis.mean, basis: basis.components, scale: scale)
        return basis.variances
    }

    /// What each latent channel of a finished autoencoder carries; all alike where the family does not scale them alike.
    private func variances(of model: Autoencoder) throws(FileError) -> [Double] {
        let channels = options.architecture.latentChannels
        guard options.training.latentBits != nil, options.architecture.family is PatchCodeConfiguration else {
            return [Double](repeating: 1, count: channels)
        }
        let z = model.encoder(try sampler(side: options.crop.largest).crops(count: min(Self.basisImages, options.training.batch * 8), step: 0)).values
        return (0..<channels).map { channel in
            let values = stride(from: channel, to: z.count, by: channels).map { Double(z[$0]) }
            let mean = values.reduce(0, +) / Double(values.count)
            return max(1e-12, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
        }
    }
}
