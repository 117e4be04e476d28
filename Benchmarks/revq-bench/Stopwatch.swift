/// How long something takes.
enum Stopwatch {
    static func milliseconds(_ work: () -> Void) -> Double {
        let start = ContinuousClock.now
        work()
        return start.duration(to: .now).milliseconds
    }
}

extension Duration {
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}
