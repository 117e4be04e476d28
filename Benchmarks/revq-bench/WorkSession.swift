import ArgumentParser
import Compute
import Files

/// One subject with the inputs and results of its operations.
struct WorkSession {
    private let subject: Subject
    private var inputs: [Subject.Operation: Tensor] = [:]
    private var results: [Subject.Operation: Tensor] = [:]

    init(_ subject: Subject) {
        self.subject = subject
    }

    mutating func answer(_ request: WorkRequest) throws -> WorkAnswer {
        switch request {
        case .prepare(let operation, let input):
            inputs[operation] = try SafetensorsFile(input).tensor("x")
            return WorkAnswer()
        case .run(let operation):
            let (compute, input) = try prepared(operation)
            return WorkAnswer(milliseconds: Stopwatch.milliseconds { results[operation] = compute(input) })
        case .profile(let operation):
            let (compute, input) = try prepared(operation)
            let profile = ComputeProfile()
            let milliseconds = ComputeContext.with(\.profile, profile) { Stopwatch.milliseconds { _ = compute(input) } }
            return WorkAnswer(
                milliseconds: milliseconds, shares: profile.entries.mapValues(WorkAnswer.Share.init), tensorPeakBytes: profile.peakBytes)
        case .save(let operation, let output):
            guard let result = results[operation] else { throw ValidationError("\(operation) has not run yet") }
            try SafetensorsWriter.write([("y", result)], to: output)
            return WorkAnswer()
        case .rates:
            let seconds = SGEMM.milliseconds() / 1000
            return WorkAnswer(sgemmGigaflops: SGEMM.gigaflops / seconds, copyGigabytesPerSecond: CopyBandwidth.gigabytesPerSecond())
        }
    }

    private func prepared(_ operation: Subject.Operation) throws -> (compute: (Tensor) -> Tensor, input: Tensor) {
        guard let input = inputs[operation], let compute = subject.operations[operation] else {
            throw ValidationError("\(operation) has no input yet, or this model does not have it")
        }
        return (compute, input)
    }
}
