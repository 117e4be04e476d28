import ArgumentParser
import Compute

/// What more threads than this machine has would bring: every piece of an operation is timed, and the schedule simulated.
struct Scaling: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times the pieces of encode and decode, and prints what their schedule allows on more threads than are here.",
        discussion: """
            Pieces are cut as for the given number of threads and computed one after the other; a simulation then hands them out. Memory is as fast \
            for all of them as for one, so the figures are what the cut allows at most. Where this machine has the threads, they are measured too.
            """)

    @OptionGroup var source: Subject.Source
    @Option(help: "Side of the square images, in pixels.")
    var size = 256
    @Option(help: "Images at a time.")
    var batch = 1
    @Option(help: "Numbers of threads.")
    var threads = [1, 2, 4, 8, 16, 32, 64]
    @Option(help: "Repetitions; the fastest time of each piece counts.")
    var repeats = 3

    func validate() throws {
        guard (1...65_536).contains(size), (1...1024).contains(batch), repeats >= 1 else {
            throw ValidationError("--size is in 1...65536, --batch in 1...1024, --repeats at least 1")
        }
        guard !threads.isEmpty, threads.allSatisfy({ (1...4096).contains($0) }) else {
            throw ValidationError("--threads are numbers in 1...4096")
        }
    }

    func run() throws {
        let subject = try Subject(source)
        guard size % subject.factor == 0 else {
            throw ValidationError("--size is a multiple of the autoencoder's factor \(subject.factor)")
        }
        var random = RandomSource(seed: 1, stream: 1)
        var pixels = Tensor(uninitialized: [batch, size, size, 3])
        random.fill(normal: &pixels, mean: 0, deviation: 0.5)
        let handover = Self.handover()
        print("\(ComputeContext.current.instructionSet), \(size)×\(size), batch \(batch), sharing an operation takes \(handover.text(3)) ms")
        let encode = subject.operations[.encode]!
        report(.encode, on: pixels, encode, handover)
        report(.decode, on: encode(pixels), subject.operations[.decode]!, handover)
    }

    private func report(_ name: Subject.Operation, on x: Tensor, _ compute: (Tensor) -> Tensor, _ handover: Double) {
        _ = compute(x)
        let cuts = threads.map { count in ScalingCut(threads: count, x, compute, repeats: repeats, handover: handover) }
        print("\n**\(name.rawValue)**\n\n" + ScalingCut.table(cuts))
        if let widest = cuts.last { print("\n" + widest.shares) }
        print("\n" + ScalingCut.processes(cuts, batch: batch))
    }

    /// What it takes to share an operation without work between two threads; 0 where there is one.
    private static func handover() -> Double {
        guard Processors.usable > 1 else { return 0 }
        return ComputeContext.with(\.threads, 2) {
            let once = (0..<200).map { _ in Stopwatch.milliseconds { Workers.forEach(2) { _ in } } }
            return once.sorted()[once.count / 2]
        }
    }
}
