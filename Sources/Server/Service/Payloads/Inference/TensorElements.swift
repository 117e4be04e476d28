/// The elements of a tensor as JSON brings them: all integers, all numbers, or all strings.
struct TensorElements {
    static let mostDimensions = 8

    private var integers: [Int] = []
    /// With the integers before the first of them.
    private var floats: [Float] = []
    private var texts: [[UInt8]] = []

    var content: InferenceTensor.Content {
        if !texts.isEmpty { return .texts(texts) }
        return floats.isEmpty ? .integers(integers) : .floats(floats)
    }

    mutating func add(text: [UInt8], to name: String) throws(PayloadError) {
        guard integers.isEmpty, floats.isEmpty else { throw .invalid("\(name) has both numbers and strings") }
        texts.append(text)
    }

    mutating func add(number: Substring, to name: String) throws(PayloadError) {
        guard texts.isEmpty else { throw .invalid("\(name) has both numbers and strings") }
        if floats.isEmpty, let value = Int(number) { return integers.append(value) }
        guard let value = Float(number), value.isFinite else {
            throw .invalid("\(name) has \(String(number).shortened), which is no number or far outside every range")
        }
        if floats.isEmpty {
            floats = integers.map { Float($0) }
            integers = []
        }
        // In place: a copy for each would take quadratic time.
        floats.append(value)
    }
}
