import Testing

@testable import Compute

@Suite struct OpenBLASTests {
    @Test func aProcessorNewerThanOpenBLASDoesNotGetItsOldestKernels() {
        OpenBLAS.prepare()
        guard InstructionSet.x86_64_v3.isSupported else { return }
        #expect(OpenBLAS.kernels != "Prescott")
    }
}
