import Compute

/// One computation, cut for one number of threads.
struct ScalingCut {
    let threads: Int
    let schedule: Schedule
    /// What the schedule says, and what was measured in turn with it where the machine has the threads; milliseconds.
    let predicted: Double
    let measured: Double?

    init(threads: Int, _ x: Tensor, _ compute: (Tensor) -> Tensor, repeats: Int, handover: Double) {
        var (schedule, measured) = (Self.timed(threads, x, compute), Double.infinity)
        let isHere = threads <= Processors.usable
        for round in 0..<repeats {
            if round > 0 { schedule.keepFaster(Self.timed(threads, x, compute)) }
            if isHere { measured = min(measured, ComputeContext.with(\.threads, threads) { Stopwatch.milliseconds { _ = compute(x) } }) }
        }
        (self.threads, self.schedule) = (threads, schedule)
        predicted = schedule.milliseconds(threads: threads, handover: handover)
        self.measured = isHere ? measured : nil
    }

    private static func timed(_ threads: Int, _ x: Tensor, _ compute: (Tensor) -> Tensor) -> Schedule {
        let profile = ComputeProfile(timingPieces: true)
        let milliseconds = ComputeContext.with(\.threads, threads) {
            ComputeContext.with(\.profile, profile) { Stopwatch.milliseconds { _ = compute(x) } }
        }
        return Schedule(profile, milliseconds: milliseconds)
    }

    /// The first is what speed-ups are told from.
    static func table(_ cuts: [ScalingCut]) -> String {
        var lines = [
            "| threads | ms | speed-up | of the threads | all pieces, ms | critical path, ms | measured, ms |", "|---|---|---|---|---|---|---|",
        ]
        let base = cuts[0].schedule.work
        for cut in cuts {
            let speedup = base / cut.predicted
            lines.append(
                "| \(cut.threads) | \(cut.predicted.text(1)) | \(speedup.text(2)) | \((100 * speedup / Double(cut.threads)).text(0)) % | "
                    + "\(cut.schedule.work.text(1)) | \(cut.schedule.criticalPath.text(1)) | \(cut.measured?.text(1) ?? "") |")
        }
        return lines.joined(separator: "\n")
    }

    /// Where the time on so many threads goes.
    var shares: String {
        var kinds: [String: (calls: Int, fewest: Int, work: Double, ideal: Double, taken: Double)] = [:]
        for step in schedule.steps {
            var kind = kinds[step.operation] ?? (0, .max, 0, 0, 0)
            let work = step.pieces.reduce(0, +)
            kind.calls += 1
            kind.fewest = min(kind.fewest, step.pieces.count)
            kind.work += work
            kind.ideal += work / Double(threads)
            kind.taken += step.milliseconds(threads: threads)
            kinds[step.operation] = kind
        }
        var lines = [
            "| on \(threads) threads | calls | fewest pieces | one thread, ms | evenly shared, ms | as cut, ms |", "|---|---|---|---|---|---|",
        ]
        for (name, kind) in kinds.sorted(by: { $0.value.taken > $1.value.taken }) {
            lines.append(
                "| \(name) | \(kind.calls) | \(kind.fewest) | \(kind.work.text(1)) | \(kind.ideal.text(2)) | \(kind.taken.text(2)) |")
        }
        lines.append("| between operations | | | \(schedule.between.text(1)) | | \(schedule.between.text(2)) |")
        return lines.joined(separator: "\n")
    }

    /// The most threads, all in one process or dealt to several.
    static func processes(_ cuts: [ScalingCut], batch: Int) -> String {
        guard let all = cuts.map(\.threads).max() else { return "" }
        let dealt = cuts.filter { all % $0.threads == 0 }.reversed().map { cut in
            let count = all / cut.threads
            return "\(count) × \(cut.threads): \((Double(count * batch) * 1000 / cut.predicted).text(1)) (\(cut.predicted.text(0)) ms)"
        }
        return "Images a second on \(all) threads, by processes × threads (and how long each takes): " + dealt.joined(separator: ", ")
    }
}

extension Double {
    func text(_ places: Int) -> String {
        let (factor, sign) = ((0..<places).reduce(1) { product, _ in product * 10 }, self < 0 ? "-" : "")
        let scaled = Int((abs(self) * Double(factor)).rounded())
        guard places > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % factor)
        return "\(sign)\(scaled / factor)." + String(repeating: "0", count: places - fraction.count) + fraction
    }
}
