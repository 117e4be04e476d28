/// The results used last, within a number of bytes: two generations, of which the older is forgotten when the younger is full.
struct ResultMemory {
    private let limitBytes: Int
    private var young: [SharedResults.Key: Outcome] = [:]
    private var old: [SharedResults.Key: Outcome] = [:]
    private var youngBytes = 0
    private(set) var hits = 0
    var followed = 0

    /// What an entry takes beside its result.
    private static let overheadBytes = 256

    init(limitBytes: Int) {
        self.limitBytes = limitBytes
    }

    subscript(key: SharedResults.Key) -> Outcome? {
        mutating get {
            guard limitBytes > 0, let outcome = young[key] ?? old[key] else { return nil }
            hits += 1
            if young[key] == nil { add(outcome, for: key) }
            return outcome
        }
        set {
            if let newValue { add(newValue, for: key) }
        }
    }

    private mutating func add(_ outcome: Outcome, for key: SharedResults.Key) {
        let bytes = outcome.bytes + Self.overheadBytes
        guard bytes <= limitBytes / 2, young[key] == nil else { return }
        if youngBytes + bytes > limitBytes / 2 { (old, young, youngBytes) = (young, [:], 0) }
        young[key] = outcome
        youngBytes += bytes
    }
}
