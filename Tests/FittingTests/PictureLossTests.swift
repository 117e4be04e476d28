import Testing

@testable import Compute
@testable import Fitting

@Suite struct PictureLossTests {
    private let y = Tensor([0.5, -0.5, 0.25, 0], shape: [1, 1, 1, 4])
    private let target = Tensor([0, 0, 0.5, 0], shape: [1, 1, 1, 4])

    @Test func theDefaultIsTheMeanSquaredError() {
        let value = PictureLoss.squaredError(y, target)
        #expect(value.total == SquaredError.mean(y, target) && value.squaredError == value.total)
        #expect(PictureLoss.squaredError.terms(of: value).isEmpty)
    }

    @Test func l1IsTheMeanAbsoluteErrorAndItsSlopeTheSign() throws {
        let loss = try PictureLoss(.init(distance: .l1, perceptual: []))
        let value = loss(y, target)
        #expect(abs(value.total - (0.5 + 0.5 + 0.25) / 4) < 1e-7)
        #expect(value.gradient.values == [0.25, -0.25, -0.25, 0])
        #expect(value.squaredError == SquaredError.mean(y, target))
        #expect(loss.value(y, target).total == value.total)
    }

    @Test func charbonnierIsSmoothAtNought() throws {
        let loss = try PictureLoss(.init(distance: .charbonnier, perceptual: []))
        let near = Tensor([1e-4, -1e-4, 0, 0], shape: [1, 1, 1, 4])
        let gradient = loss(near, Tensor(zeros: near.shape)).gradient.values
        #expect(abs(gradient[0] - 0.25 * 1e-2) < 1e-6 && gradient[1] == -gradient[0])
    }
}
