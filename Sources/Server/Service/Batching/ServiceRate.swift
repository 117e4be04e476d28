/// How fast the engine has been serving lately, as seconds of work per item.
///
/// An exponential average over batches: it follows a change of model or load within some ten batches, and one slow batch does not
/// send clients away for long.
struct ServiceRate: Sendable {
    private static let newestWeight = 0.2
    /// What an item is assumed to cost before the first batch has been measured.
    private static let firstGuess = 0.1

    private(set) var secondsPerItem = ServiceRate.firstGuess
    private var isMeasured = false

    mutating func record(items: Int, duration: Duration) {
        guard items > 0 else { return }
        let measured = duration.seconds / Double(items)
        secondsPerItem = isMeasured ? secondsPerItem + Self.newestWeight * (measured - secondsPerItem) : measured
        isMeasured = true
    }

    /// The time in which `items` will have been served.
    func time(toServe items: Int) -> Duration {
        .seconds(Double(items) * secondsPerItem)
    }
}

extension Duration {
    /// This duration in seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
