import Compute
import Files
import Glibc
import Jobs

/// The learning rates that a range test tries, growing by the same factor from step to step.
///
/// Source: Cyclical Learning Rates for Training Neural Networks (arXiv 1506.01186).
package struct LearningRateRange: Codable, Equatable, Sendable {
    package let lowest, highest: Float

    /// - Parameter text: such as `1e-5:1`.
    /// - Returns: nil unless the numbers are in 0...1 and grow.
    package init?(_ text: String) {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { Float($0) ?? .nan }
        guard numbers.count == 2, numbers[0] > 0, numbers[1] > numbers[0], numbers[1] <= 1 else { return nil }
        (lowest, highest) = (numbers[0], numbers[1])
    }

    /// - Parameter step: 0 ..< `steps`.
    func rate(step: Int, steps: Int) -> Float {
        let share = Double(step) / Double(max(1, steps - 1))
        return Float(Double(lowest) * pow(Double(highest) / Double(lowest), share))
    }
}

/// What a range test found: the loss before each step, with the rate of that step.
///
/// Crops are easy or hard by more than a step changes; so the loss counts relative to what the weights before the first step make of the same
/// crops.
package struct LearningRateCurve: Codable, Equatable, Sendable {
    package struct Point: Codable, Equatable, Sendable {
        package let rate: Double
        package let loss: Double
        /// To the loss of the weights before the first step.
        package let relative: Double
        /// The relative one of this and the steps before it, the latest most.
        package let smoothed: Double
    }

    package private(set) var points: [Point] = []
    /// Whether the loss rose so far that higher rates were not tried.
    package private(set) var isCutShort = false
    private var sum = 0.0, weight = 0.0

    private static let memory = 0.9
    /// Of the lowest loss: beyond it a run has diverged.
    private static let mostRise = 4.0
    /// So much lower than the rate of the lowest loss is still fast and no longer at the edge. Source: fastai's `lr_find`, "minimum".
    private static let margin = 10.0

    private enum CodingKeys: CodingKey {
        case points, isCutShort
    }

    package init() {}

    /// - Parameter start: the loss of the weights before the first step, on the same crops.
    /// - Returns: whether a higher rate is worth trying.
    mutating func add(rate: Float, loss: Double, start: Double) -> Bool {
        let relative = loss / max(start, 1e-12)
        guard relative.isFinite else {
            isCutShort = true
            return false
        }
        (sum, weight) = (Self.memory * sum + relative, Self.memory * weight + 1)
        points.append(Point(rate: Double(rate), loss: loss, relative: relative, smoothed: sum / weight))
        isCutShort = sum / weight > Self.mostRise * (points.map(\.smoothed).min() ?? .infinity)
        return !isCutShort
    }

    private var lowest: Int? { points.indices.min { points[$0].smoothed < points[$1].smoothed } }

    /// A peak learning rate to begin with; nil where the loss was lowest at an end of the range.
    package var suggestion: Double? {
        guard let lowest, lowest > 0, lowest < points.count - 1 else { return nil }
        return points[lowest].rate / Self.margin
    }

    /// One line for a person.
    package var summary: String {
        guard let lowest, points.count > 1 else { return "the loss is no number at the lowest rate already: try lower ones" }
        let (first, last) = (Figure.significant(points[0].rate), Figure.significant(points[points.count - 1].rate))
        if let suggestion {
            let rate = Figure.significant(points[lowest].rate)
            return "the smoothed loss is lowest at \(rate): begin with --learning-rate \(Figure.significant(suggestion)), a tenth of it"
        }
        return lowest == 0
            ? "the smoothed loss rises from \(first) on: try lower rates" : "the smoothed loss still falls at \(last): try higher rates"
    }
}

extension AutoencoderRun {
    /// The file of the run's folder that holds the curve.
    package static let rangeName = "lr-range.json"

    /// Trains while the learning rate grows over ``Options/range``, and writes the curve. Nothing is saved on the way: it is short.
    /// - Returns: nil when a stop was requested.
    /// - Precondition: the options have a range.
    package func testRange(
        events: String? = nil, isStopRequested: () -> Bool = { StopSignal.isRequested }
    ) throws(FileError) -> LearningRateCurve? {
        guard let range = options.range else { preconditionFailure("no range of learning rates to try") }
        let start = try firstTrainer()
        var (trainer, curve) = (start, LearningRateCurve())
        let log = try TrainingLog(directory.logPath, resumedAt: -1, events: events)
        let steps = options.training.steps
        console.begin(total: steps, unit: "step")
        while trainer.step < steps {
            if isStopRequested() { return nil }
            let rate = range.rate(step: trainer.step, steps: steps)
            let crops = try crops(step: trainer.step)
            let loss = trainer.train(on: crops, at: rate)
            let goesOn = curve.add(rate: rate, loss: loss, start: SquaredError.loss(start.reconstruction(of: crops), crops).value)
            // The step that shows that rates are too high is one, too.
            if loss.isFinite { try log.append(step: trainer.step, images: options.training.batch, trainer.figures(loss: loss)) }
            guard goesOn else { break }
            console.update(done: trainer.step, figures: ["rate \(Figure.significant(Double(rate)))", "loss \(Figure.text(loss))"])
        }
        console.closeLine()
        try StoredFile.write(JSONFile.bytes(curve), to: "\(directory.path)/\(Self.rangeName)")
        return curve
    }
}
