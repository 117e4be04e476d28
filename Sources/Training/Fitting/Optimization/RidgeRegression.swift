import COpenBLAS
import Compute

/// The affine map y ≈ W x + b with the least squared error and a penalty on W, by the normal equations in double precision.
///
/// Source: Hoerl and Kennard, "Ridge Regression", Technometrics 12 (1970). The offset b is not penalised.
package struct RidgeRegression: Sendable {
    private let features, targets: Int
    /// Σ [x 1]ᵀ [x 1 y], `[features + 1, width]`; left of the diagonal it is not filled.
    private var moments: [Double]

    private var unknowns: Int { features + 1 }
    private var width: Int { features + 1 + targets }

    /// Columns of a piece of work; fixed, so that sums do not depend on the number of threads.
    private static let piece = 256
    /// Samples that are taken together.
    private static let batch = 1024

    package init(features: Int, targets: Int) {
        precondition(features >= 1 && targets >= 1, "a regression from \(features) to \(targets) numbers")
        (self.features, self.targets) = (features, targets)
        moments = Array(repeating: 0, count: (features + 1) * (features + 1 + targets))
    }

    /// - Parameters:
    ///   - x: `[n, features]`.
    ///   - y: `[n, targets]`.
    /// - Complexity: O(n · features · (features + targets)).
    package mutating func add(_ x: Tensor, _ y: Tensor) {
        precondition(x.c == features && y.c == targets && x.rows == y.rows, "\(x.shape) and \(y.shape) are not \(features) and \(targets) numbers")
        x.withPointer { x in
            y.withPointer { add(x, $0, rows: y.rows) }
        }
    }

    mutating func add(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, rows: Int) {
        for start in stride(from: 0, to: rows, by: Self.batch) {
            let count = min(Self.batch, rows - start)
            addBatch(x + start * features, y + start * targets, count)
        }
    }

    private mutating func addBatch(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int) {
        let (features, targets, unknowns, width) = (features, targets, unknowns, width)
        let samples = [Double](unsafeUninitializedCapacity: count * width) { samples, filled in
            for row in 0..<count {
                let target = samples.baseAddress! + row * width
                for i in 0..<features { target[i] = Double(x[row * features + i]) }
                target[features] = 1
                for i in 0..<targets { target[unknowns + i] = Double(y[row * targets + i]) }
            }
            filled = count * width
        }
        let (down, across) = ((unknowns + Self.piece - 1) / Self.piece, (width + Self.piece - 1) / Self.piece)
        OpenBLAS.prepare()
        samples.withUnsafeBufferPointer { samples in
            moments.withUnsafeMutableBufferPointer { moments in
                let (samples, moments) = (samples.baseAddress!, moments.baseAddress!)
                Workers.forEach(down * across) { index in
                    let (top, left) = (index / across * Self.piece, index % across * Self.piece)
                    guard left + Self.piece > top else { return }
                    cblas_dgemm(
                        CblasRowMajor, CblasTrans, CblasNoTrans, blasint(min(Self.piece, unknowns - top)),
                        blasint(min(Self.piece, width - left)), blasint(count), 1, samples + top, blasint(width), samples + left,
                        blasint(width), 1, moments + top * width + left, blasint(width))
                }
            }
        }
    }

    /// The map that fits best what was added.
    ///
    /// - Parameter penalty: λ of the penalty λ·m·‖W‖², where m is the mean of Σx² over the features.
    /// - Returns: `weight[targets, features]` and `bias[targets]`, or nil where the equations are singular.
    /// - Complexity: O(features² · (features + targets)).
    package func solution(penalty: Double) -> (weight: Tensor, bias: Tensor)? {
        precondition(penalty >= 0, "a penalty is not negative, got \(penalty)")
        let mean = (0..<features).reduce(0) { $0 + moments[$1 * width + $1] } / Double(features)
        var system = moments
        // Where every feature is always zero, any penalty will do.
        for i in 0..<features { system[i * width + i] += penalty * (mean > 0 ? mean : 1) }
        guard NormalEquations.solve(&system, unknowns: unknowns, rightHandSides: targets) else { return nil }
        var (weight, bias) = (Tensor(uninitialized: [targets, features]), Tensor(uninitialized: [targets]))
        weight.withMutablePointer { weight in
            for i in 0..<targets { for j in 0..<features { weight[i * features + j] = Float(system[j * width + unknowns + i]) } }
        }
        bias.withMutablePointer { bias in
            for i in 0..<targets { bias[i] = Float(system[features * width + unknowns + i]) }
        }
        return (weight, bias)
    }
}
