import COpenBLAS
import Compute

/// The machine's matrix-product rate: OpenBLAS on as many threads as the tokenizer uses.
enum SGEMM {
    private static let side = 2048
    /// Giga floating-point operations of one product.
    static let gigaflops = 2 * Double(side * side * side) / 1e9

    static func milliseconds() -> Double {
        let (a, b) = (Tensor(repeating: 0.5, shape: [side, side]), Tensor(repeating: 0.25, shape: [side, side]))
        var c = Tensor(zeros: [side, side])
        OpenBLAS.prepare()
        openblas_set_num_threads(Int32(ComputeContext.current.threads))
        defer { openblas_set_num_threads(1) }
        return c.withMutablePointer { c in
            a.withPointer { a in
                b.withPointer { b in
                    Stopwatch.milliseconds {
                        let n = blasint(side)
                        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n)
                    }
                }
            }
        }
    }
}
