import Compute
import Files
import Images
import Jobs
import Networks
import Pictures
import Ranks
import TokenizerCore

/// What a run is given, and what is wrong with it.
extension AutoencoderRun {
    /// What a run reads before it begins, held against its options.
    struct Inputs {
        let index: PictureIndex
        let images, lessons: SquareImages
        let fit: FittedQuantizer?
        let tokens: TokenChannel?
        let loss: PictureLoss
        let record: Record

        init(_ options: Options, _ console: Console, _ ranks: RankGroup) throws(FileError) {
            let source = try ImageSource(options.images)
            try AutoencoderRun.validate(options, ranks)
            index = PictureIndex(source, console)
            try AutoencoderRun.validate(index, options)
            images = SquareImages(source, size: options.size)
            lessons = SquareImages(source, size: options.size, isReduced: true, wholeUpTo: options.scale)
            // The same remarks on the source.
            _ = images.takeComplaints()
            if let start = options.start { try AutoencoderRun.check(start, options.architecture) }
            try AutoencoderRun.checkEncoder(options)
            fit = try options.start.flatMap { start throws(FileError) in try AutoencoderRun.fit(of: start, options.training.part) }
            tokens = try fit.map { fit throws(FileError) in try AutoencoderRun.tokens(of: fit, options) }
            loss = try options.training.loss.map { options throws(FileError) in try PictureLoss(options) } ?? .squaredError
            try AutoencoderRun.checkMemory(options, loss)
            record = Record(
                options: options, imagesSignature: String(source.signature, radix: 16),
                start: try options.start.map { start throws(FileError) in try FileDigest(of: Autoencoder.weightsPath(in: start.vae)) },
                fit: try options.start?.fit.map { fit throws(FileError) in try FittedQuantizer.digest(of: fit) },
                perceptual: try options.training.loss.map { loss throws(FileError) in try loss.digests() })
        }

        /// What has to be equal on all ranks: the pictures by their contents.
        func facts(_ options: Options) -> [(name: String, digest: String)] {
            [
                ("other options", JobFacts.digest(options)), ("other pictures", JobFacts.digest(index.keys)),
                (
                    "another autoencoder, quantiser or perceptual network",
                    JobFacts.digest([record.start, record.fit] + (record.perceptual ?? []).map(Optional.some))
                ),
            ]
        }
    }

    private static func tokens(of fit: FittedQuantizer, _ options: Options) throws(FileError) -> TokenChannel {
        do throws(FileError) {
            return try TokenChannel(fit, imageSizes: Set(options.crop.all + [options.size]))
        } catch {
            let size = fit.description.imageSize
            throw FileError(path: options.start?.fit ?? "", reason: "\(error.reason); it serves --crop \(size) with --size \(size)")
        }
    }

    private static func check(_ start: Start, _ architecture: AutoencoderConfiguration) throws(FileError) {
        let finished = try AutoencoderConfiguration(contentsOf: "\(start.vae)/\(Autoencoder.configurationName)")
        let (own, other) = (architecture.className, finished.className)
        guard own == other else {
            throw FileError(path: start.vae, reason: "\(start.vae) is of the family \(other), not \(own): it cannot be trained further as that")
        }
        guard architecture.differsOnlyInRefiner(from: finished) else {
            throw FileError(path: start.vae, reason: "the architecture may differ from that of \(start.vae) only in decoder_refiner")
        }
    }

    private static func fit(of start: Start, _ part: TrainedPart) throws(FileError) -> FittedQuantizer? {
        guard let folder = start.fit else { return nil }
        let fit = try FittedQuantizer(folder)
        try fit.check(belongsTo: start.vae, named: folder)
        guard !part.movesEncoder || fit.description.rectifier.network == .identity else {
            throw FileError(
                path: folder,
                reason: "\(folder) has a rectifier, which knows the errors of the encoder and the codes as they are: with --train \(part.rawValue) "
                    + "name a fit without one")
        }
        return fit
    }

    private static func checkEncoder(_ options: Options) throws(FileError) {
        guard options.training.part == .encoder, let code = options.architecture.family as? PatchCodeConfiguration, !code.hasEncoderNetwork else {
            return
        }
        throw FileError(
            path: options.start?.vae ?? options.images,
            reason: "--train encoder has nothing to train: this patch code's encoder has no network beside it, and stays at the principal components")
    }

    private static func validate(_ index: PictureIndex, _ options: Options) throws(FileError) {
        guard let problem = index.parts(options.split).problem else { return }
        throw FileError(path: options.images, reason: "\(options.images) holds \(problem); use more pictures, or another --split")
    }

    private static func validate(_ options: Options, _ ranks: RankGroup) throws(FileError) {
        func check(_ holds: Bool, _ reason: @autoclosure () -> String) throws(FileError) {
            guard holds else { throw FileError(path: options.images, reason: reason()) }
        }
        let (training, factor) = (options.training, options.architecture.factor)
        if let problem = training.problem { throw FileError(path: options.images, reason: problem) }
        try check(
            ranks.count <= training.shards, "\(ranks.count) ranks cannot share \(training.shards) shards: --shards is at least the number of ranks")
        try check(options.range == nil || ranks.count == 1, "--lr-range is tried by one process, not by \(ranks.count) ranks")
        try check((1...8192).contains(options.size), "the image size is in 1...8192, not \(options.size)")
        try check(
            options.crop.all.allSatisfy { (1...options.size).contains($0) && $0 % factor == 0 },
            "crops are at most \(options.size) pixels and a multiple of the autoencoder's factor \(factor), not "
                + options.crop.all.map(String.init).joined(separator: ", "))
        try check(
            options.scale.map { $0 > 1 && $0 <= 16 } ?? true, "--scale is in 1...16, not \(options.scale ?? 1)")
        try check(
            training.loss?.perceptual.isEmpty ?? true || options.crop.smallest >= PerceptualTrunk.smallestSide,
            "a perceptual network takes crops of \(PerceptualTrunk.smallestSide) pixels at least, not \(options.crop.smallest)")
        try check(options.size % factor == 0, "images of \(options.size) pixels are not a multiple of the factor \(factor)")
        try check(
            options.start?.fit == nil || training.latentBits == nil,
            "with --fit latents become the tokens themselves, and no test channel stands for them: leave --latent-bits out")
        try check((1...1 << 24).contains(options.measureEvery), "--measure-every is in 1...\(1 << 24), not \(options.measureEvery)")
    }

    private static func checkMemory(_ options: Options, _ loss: PictureLoss) throws(FileError) {
        let judgement = options.training.adversary == nil ? 0 : Discriminator.floatsPerPixel
        do throws(MemoryShortage) {
            try AutoencoderMemory(options.architecture).checkTraining(
                imageSize: options.crop.largest, batch: options.training.batch, beside: loss.floatsPerPixel + judgement, within: .machine)
        } catch {
            throw FileError(path: options.images, reason: "\(error)")
        }
    }
}
