/// What a computation would take on more threads than a machine has: its steps follow each other, and the threads take a step's pieces in
/// order, each the next one when it is free, as the ``Workers`` do.
///
/// Memory, caches and clocks are those that the pieces were timed with: more threads share them, so this is what the cut allows at most.
package struct Schedule: Sendable {
    package struct Step: Sendable {
        package let operation: String
        /// Milliseconds that each piece takes.
        package var pieces: [Double]
    }

    /// The steps in order.
    package private(set) var steps: [Step]
    /// Milliseconds between the steps, in which one thread works.
    package private(set) var between: Double

    package init(steps: [Step], between: Double) {
        (self.steps, self.between) = (steps, between)
    }

    /// - Parameter milliseconds: the whole computation, from which what its steps did not take is between them.
    package init(_ profile: ComputeProfile, milliseconds: Double) {
        steps = profile.steps.map { step in
            Step(operation: step.operation, pieces: step.pieces.map { $0 / .milliseconds(1) })
        }
        between = max(0, milliseconds - steps.reduce(0) { $0 + $1.pieces.reduce(0, +) })
    }

    /// Keeps the faster time of each piece: what a busy moment of the machine added is gone.
    ///
    /// - Precondition: both are of the same computation, cut in the same way.
    package mutating func keepFaster(_ other: Schedule) {
        precondition(steps.map(\.pieces.count) == other.steps.map(\.pieces.count), "schedules of different computations")
        for step in steps.indices { steps[step].pieces = zip(steps[step].pieces, other.steps[step].pieces).map(min) }
        between = min(between, other.between)
    }

    /// Everything on one thread.
    package var work: Double { between + steps.reduce(0) { $0 + $1.pieces.reduce(0, +) } }

    /// What no number of threads goes below, as it is cut: what is between the steps, and the longest piece of each.
    package var criticalPath: Double { between + steps.reduce(0) { $0 + ($1.pieces.max() ?? 0) } }

    /// - Parameter handover: what sharing a step among threads takes, in milliseconds.
    package func milliseconds(threads: Int, handover: Double = 0) -> Double {
        precondition(threads >= 1, "the number of threads is at least 1, got \(threads)")
        return between + steps.reduce(0) { $0 + $1.milliseconds(threads: threads) + (threads > 1 && $1.pieces.count > 1 ? handover : 0) }
    }
}

extension Schedule.Step {
    /// When the last thread is done.
    package func milliseconds(threads: Int) -> Double {
        var busyUntil = [Double](repeating: 0, count: max(1, min(threads, pieces.count)))
        for piece in pieces {
            let free = busyUntil.indices.min { busyUntil[$0] < busyUntil[$1] }!
            busyUntil[free] += piece
        }
        return busyUntil.max()!
    }
}
