import ArgumentParser
import Compute
import Networks

/// One autoencoder by itself: the quick look between two changes of a kernel.
struct Measure: ThreadedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times encode and decode of an autoencoder beside OpenBLAS sgemm, in the same run, and prints one JSON line.")

    @Option(help: "A folder of the diffusers layout.")
    var vae: String?
    @Option(help: "A config.json of that layout instead: random weights, which never touch the disk.")
    var config: String?
    @Option(help: "Side of the square images, in pixels.")
    var size = 256
    @Option(help: "Images at a time.")
    var batch = 1
    @Option(help: "Threads; all cores by default.")
    var threads: Int?
    @Option(help: "Repetitions; the fastest counts.")
    var repeats = 5
    @Option(help: "Precision of the large products: fp32 or bf16.")
    var precision = Precision.float32
    @Option(help: "Giga-multiplications of one encode and one decode of a 256-pixel image; those of f32c32-sana-1.1 by default.")
    var gmac: [Double] = [161.9, 261.5]

    func validate() throws {
        guard (vae == nil) != (config == nil) else { throw ValidationError("name one of --vae and --config") }
        guard gmac.count == 2 else { throw ValidationError("--gmac takes two numbers, encode and decode") }
        guard (1...65_536).contains(size), (1...1024).contains(batch), repeats >= 1, (threads ?? 1) >= 1 else {
            throw ValidationError("--size is in 1...65536, --batch in 1...1024, the other counts are at least 1")
        }
        try precision.validate()
    }

    func run() throws {
        let start = ContinuousClock.now
        let model = try autoencoder()
        let loading = start.duration(to: .now)
        guard size % model.configuration.factor == 0 else {
            throw ValidationError("--size is a multiple of the autoencoder's factor \(model.configuration.factor)")
        }
        _ = try AutoencoderMemory(model.configuration).largestBatch(imageSize: size, atMost: 1, within: .machine)
        let pixels = noise([batch, size, size, 3])
        var latent = Tensor(zeros: [0])
        let first = Stopwatch.milliseconds { latent = model.encoder(pixels) } + Stopwatch.milliseconds { _ = model.decoder(latent) }
        // Interleaved, so that a busy moment of the machine touches all three alike.
        var (encode, decode, product) = (Double.infinity, Double.infinity, Double.infinity)
        for _ in 0..<repeats {
            encode = min(encode, Stopwatch.milliseconds { latent = model.encoder(pixels) })
            decode = min(decode, Stopwatch.milliseconds { _ = model.decoder(latent) })
            product = min(product, SGEMM.milliseconds())
        }
        let images = Double(batch)
        let area = Double(size * size) / 65_536
        let sgemm = SGEMM.gigaflops / (product / 1000)
        let rates = zip(gmac, [encode, decode]).map { 2 * $0 * area * images / ($1 / 1000) }
        print(
            """
            {"precision": "\(precision.rawValue)", "size": \(size), "batch": \(batch), "threads": \(ComputeContext.current.threads), "load_ms": \(loading.milliseconds.rounded()), \
            "first_round_trip_ms": \(first.rounded()), "encode_ms_per_image": \((encode / images).rounded()), \
            "decode_ms_per_image": \((decode / images).rounded()), "sgemm_gflops": \(sgemm.rounded()), \
            "encode_gflops": \(rates[0].rounded()), "decode_gflops": \(rates[1].rounded()), \
            "encode_share_of_sgemm": \((100 * rates[0] / sgemm).rounded() / 100), \
            "decode_share_of_sgemm": \((100 * rates[1] / sgemm).rounded() / 100), "finite": \(latent.isFinite)}
            """)
    }

    private func autoencoder() throws -> Autoencoder {
        if let vae { return try Autoencoder(directory: vae, precision: precision) }
        return Autoencoder(try AutoencoderConfiguration(contentsOf: config!), .random(seed: 1).computing(in: precision))
    }

    private func noise(_ shape: [Int]) -> Tensor {
        var random = RandomSource(seed: 1, stream: 1)
        var tensor = Tensor(uninitialized: shape)
        random.fill(normal: &tensor, mean: 0, deviation: 0.5)
        return tensor
    }
}
