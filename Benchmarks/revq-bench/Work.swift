import ArgumentParser
import FoundationEssentials
import Glibc
import TokenizerCore

/// Does one thing at a time for a driver that measures several programs in turn: a JSON line in, a JSON line out.
struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Obeys a benchmark driver: reads one JSON request a line, answers each with one JSON line.",
        discussion: """
            {"do": "prepare", "operation": "encode", "input": FILE}   reads the tensor `x` of a safetensors file
            {"do": "run", "operation": "encode"}                      -> {"ms": 12.3}
            {"do": "save", "operation": "encode", "output": FILE}     writes the last result as the tensor `y`
            {"do": "rates"}                                           -> {"sgemm_gflops": 180, "copy_gigabytes_per_second": 9}
            """)

    @OptionGroup var source: Subject.Source
    @Option(help: "Threads; all cores by default.")
    var threads: Int?

    func validate() throws {
        guard (threads ?? 1) >= 1 else { throw ValidationError("--threads is at least 1") }
    }

    func run() throws {
        if let threads { Workers.count = threads }
        let start = ContinuousClock.now
        let subject = try Subject(source)
        try answer(WorkAnswer(operations: subject.names, loadMilliseconds: start.duration(to: .now).milliseconds))
        var inputs: [Subject.Operation: Tensor] = [:]
        var results: [Subject.Operation: Tensor] = [:]
        while let line = readLine() {
            let request = try JSONDecoder().decode(WorkRequest.self, from: Data(line.utf8))
            switch request {
            case .prepare(let operation, let input):
                inputs[operation] = try SafetensorsFile(input).tensor("x")
                try answer(WorkAnswer())
            case .run(let operation):
                guard let input = inputs[operation], let compute = subject.operations[operation] else {
                    throw ValidationError("\(operation) has no input yet, or this model does not have it")
                }
                let milliseconds = Stopwatch.milliseconds { results[operation] = compute(input) }
                try answer(WorkAnswer(milliseconds: milliseconds))
            case .save(let operation, let output):
                guard let result = results[operation] else { throw ValidationError("\(operation) has not run yet") }
                try SafetensorsWriter.write([("y", result)], to: output)
                try answer(WorkAnswer())
            case .rates:
                let seconds = SGEMM.milliseconds() / 1000
                try answer(WorkAnswer(sgemmGigaflops: SGEMM.gigaflops / seconds, copyGigabytesPerSecond: CopyBandwidth.gigabytesPerSecond()))
            }
        }
    }

    private func answer(_ answer: WorkAnswer) throws {
        print(String(decoding: try JSONEncoder().encode(answer), as: UTF8.self))
        fflush(nil)
    }
}
