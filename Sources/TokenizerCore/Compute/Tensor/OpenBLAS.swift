import COpenBLAS
import Glibc

/// OpenBLAS as this process uses it.
package enum OpenBLAS {
    /// Makes every function of OpenBLAS stay on the calling thread, and compute with the vectors of this processor. Comes before the first of
    /// them; only its first call does anything.
    package static func prepare() { _ = isPrepared }

    private static let isPrepared: Void = {
        openblas_set_num_threads(1)
        chooseKernels()
    }()

    /// The processor whose kernels it computes with, by OpenBLAS's name for it.
    package static var kernels: String { String(cString: openblas_get_corename()) }

    /// What it takes an x86-64 processor for whose model number it does not know: the first with SSE3.
    private static let unknown = "Prescott"
    /// The environment variable by which it is told another one.
    private static let choice = "OPENBLAS_CORETYPE"

    /// OpenBLAS knows processors by number, so that those newer than itself get the oldest kernels: version 0.3.21, which Debian 12 has, multiplies on
    /// an Emerald Rapids at a sixth of its pace. It reads the environment when it is loaded, and can be made to read it again by two functions that
    /// it exports without documenting them; where they are not there, all stays as it is. Whoever has set the variable keeps what it says.
    private static func chooseKernels() {
        guard kernels == unknown, getenv(choice) == nil, let better = InstructionSet.best.openBLASKernels else { return }
        guard let forget = function("gotoblas_dynamic_quit"), let choose = function("gotoblas_dynamic_init") else { return }
        setenv(choice, better, 1)
        forget()
        choose()
        unsetenv(choice)
    }

    private static func function(_ name: String) -> (@convention(c) () -> Void)? {
        dlsym(nil, name).map { unsafeBitCast($0, to: (@convention(c) () -> Void).self) }
    }
}

extension InstructionSet {
    /// OpenBLAS's name for the kernels that need no more than this.
    fileprivate var openBLASKernels: String? {
        switch self {
        case .x86_64_v3: "Haswell"
        case .x86_64_v4, .x86_64_amx: "SkylakeX"
        case .plain, .aarch64_neon: nil
        }
    }
}
