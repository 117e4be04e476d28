import ArgumentParser
import Compute
import FoundationEssentials
import Glibc

/// Does one thing at a time for a driver that measures several programs in turn: a JSON line in, a JSON line out.
struct Work: ThreadedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Obeys a benchmark driver: reads one JSON request a line, answers each with one JSON line.",
        discussion: """
            {"do": "prepare", "operation": "encode", "input": FILE}   reads the tensor `x` of a safetensors file
            {"do": "run", "operation": "encode"}                      -> {"ms": 12.3}
            {"do": "save", "operation": "encode", "output": FILE}     writes the last result as the tensor `y`
            {"do": "profile", "operation": "encode"}                  -> {"ms": 12.3, "shares": {"norm": {"ms": 0.4, "floats": 8e6, ...}}}
            {"do": "rates"}                                           -> {"sgemm_gflops": 180, "copy_gigabytes_per_second": 9}
            """)

    @OptionGroup var source: Subject.Source
    @Option(help: "Threads; all cores by default.")
    var threads: Int?

    func validate() throws {
        guard (threads ?? 1) >= 1 else { throw ValidationError("--threads is at least 1") }
    }

    func run() throws {
        let start = ContinuousClock.now
        let subject = try Subject(source)
        try answer(WorkAnswer(operations: subject.names, loadMilliseconds: start.duration(to: .now).milliseconds))
        var session = WorkSession(subject)
        while let line = readLine() {
            try answer(session.answer(JSONDecoder().decode(WorkRequest.self, from: Data(line.utf8))))
        }
    }

    private func answer(_ answer: WorkAnswer) throws {
        print(String(decoding: try JSONEncoder().encode(answer), as: UTF8.self))
        fflush(nil)
    }
}
