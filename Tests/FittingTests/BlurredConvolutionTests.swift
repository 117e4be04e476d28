import TestSupport
import Testing

@testable import Compute
@testable import Fitting

/// What is done in one step against the two that it stands for.
@Suite struct BlurredConvolutionTests {
    /// Rows and columns of which the convolution leaves even and odd numbers.
    @Test(arguments: [(32, 40), (33, 39), (40, 33), (35, 32)])
    func equalsAConvolutionAndABlur(h: Int, w: Int) {
        var values = TestValues(seed: 31)
        let convolution = BlurredConvolution(weight: values.tensor([20, 3, 11, 11]), bias: values.tensor([20]), padding: 2)
        let x = values.tensor([2, h, w, 3])
        let inSteps = ComputeContext.with(\.algorithm, .direct) { convolution.forward(x) }
        let y = convolution.forward(x)
        #expect(y.shape == inSteps.shape)
        #expect(y.relativeError(to: inSteps) < 1e-5)
        let dy = values.tensor(y.shape)
        let gradient = ComputeContext.with(\.algorithm, .direct) { convolution.backward(dy, shape: x.shape) }
        #expect(convolution.backward(dy, shape: x.shape).relativeError(to: gradient) < 1e-5)
    }
}
