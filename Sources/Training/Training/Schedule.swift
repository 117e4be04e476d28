import Glibc

/// How the learning rate moves over a run, as a factor of its peak.
enum Schedule {
    /// Rises linearly over `warmup` steps, then falls along a half cosine to zero at `steps`.
    static func warmupThenCosine(step: Int, warmup: Int, steps: Int) -> Float {
        if step < warmup { return Float(step + 1) / Float(warmup) }
        let progress = Double(step - warmup) / Double(max(1, steps - warmup))
        return Float(0.5 * (1 + cos(.pi * min(1, progress))))
    }
}
