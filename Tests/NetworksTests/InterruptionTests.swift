import TestSupport
import Testing

@testable import Compute
@testable import Networks

@Suite struct InterruptionTests {
    @Test func whatIsInterruptedEndsInTheSameShape() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let vae = try Autoencoder(directory: root + "/TestSupport/Fixtures/dcae_sana")
        let pixels = Tensor(repeating: 0.25, shape: [2, 32, 32, 3])
        let whole = vae.encode(copy pixels)
        let interruption = Interruption()
        let untouched = ComputeContext.with(\.interruption, interruption) { vae.encode(copy pixels) }
        #expect(untouched.map.values == whole.map.values)
        interruption.set()
        let profile = ComputeProfile()
        let (broken, drawn) = ComputeContext.with(\.interruption, interruption) {
            ComputeContext.with(\.profile, profile) { (vae.encode(copy pixels), vae.decode(copy whole)) }
        }
        #expect(broken.map.shape == whole.map.shape && drawn.shape == pixels.shape)
        #expect(broken.map.values != whole.map.values)
        #expect(!profile.entries.keys.contains { $0.contains("attention") })
    }
}
