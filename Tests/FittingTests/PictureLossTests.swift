import Testing

@testable import Compute
@testable import Fitting

@Suite struct PictureLossTests {
    private var random = RandomSource(seed: 1, stream: 1)
    private let y = Tensor([0.5, -0.5, 0.25, 0], shape: [1, 1, 1, 4])
    private let target = Tensor([0, 0, 0.5, 0], shape: [1, 1, 1, 4])

    @Test mutating func theDefaultIsTheMeanSquaredError() {
        let value = PictureLoss.squaredError(y, target, &random)
        #expect(value.total == SquaredError.mean(y, target) && value.squaredError == value.total)
        #expect(PictureLoss.squaredError.terms(of: value).isEmpty)
    }

    @Test mutating func l1IsTheMeanAbsoluteErrorAndItsSlopeTheSign() throws {
        let loss = try PictureLoss(.init(distance: .l1, perceptual: []))
        let value = loss(y, target, &random)
        #expect(abs(value.total - (0.5 + 0.5 + 0.25) / 4) < 1e-7)
        #expect(value.gradient.values == [0.25, -0.25, -0.25, 0])
        #expect(value.squaredError == SquaredError.mean(y, target))
        #expect(loss.value(y, target).total == value.total)
    }

    @Test mutating func charbonnierIsSmoothAtNought() throws {
        let loss = try PictureLoss(.init(distance: .charbonnier, perceptual: []))
        let near = Tensor([1e-4, -1e-4, 0, 0], shape: [1, 1, 1, 4])
        let gradient = loss(near, Tensor(zeros: near.shape), &random).gradient.values
        #expect(abs(gradient[0] - 0.25 * 1e-2) < 1e-6 && gradient[1] == -gradient[0])
    }

    @Test mutating func theWeaveIsPartOfTheLoss() throws {
        let loss = try PictureLoss(.init(distance: .mse, perceptual: [], weave: 3))
        let (y, target) = (Tensor(repeating: 0.5, shape: [1, 16, 16, 1]), Tensor(zeros: [1, 16, 16, 1]))
        let value = loss(y, target, &random)
        #expect(abs(value.total - 0.25 * (1 + 3 * 4)) < 1e-6 && value.weave == 1)
        #expect(loss.value(y, target).total == value.total)
        #expect(loss.terms(of: value)["weave"] == 1)
        #expect(PictureLoss.Options(distance: .mse, perceptual: [], weave: -1).problem != nil)
    }

    /// Errors that alternate from tile to tile are no weave; those that do not are as many times the squared error as there are tiles.
    @Test func aWeaveIsWhatRepeatsFromTileToTile() {
        var random = RandomSource(seed: 3, stream: 1)
        let tile = (0..<64).map { _ in random.normal() }
        func picture(_ sign: (Int) -> Float) -> Tensor {
            var picture = Tensor(zeros: [1, 32, 32, 1])
            picture.withMutablePointer { pixels in
                for y in 0..<32 {
                    for x in 0..<32 { pixels[y * 32 + x] = tile[y % 8 * 8 + x % 8] * sign(x / 8 + y / 8) }
                }
            }
            return picture
        }
        let zero = Tensor(zeros: [1, 32, 32, 1])
        let same = picture { _ in 1 }
        #expect(abs(WeaveLoss.loss(same, zero).value / (16 * SquaredError.mean(same, zero)) - 1) < 1e-5)
        #expect(WeaveLoss.loss(picture { $0 % 2 == 0 ? 1 : -1 }, zero).value < 1e-10)
        #expect(WeaveLoss.loss(Tensor(zeros: [1, 7, 7, 1]), Tensor(repeating: 1, shape: [1, 7, 7, 1])).value == 0)
    }

    @Test func theSlopeOfTheWeaveIsWhatAStepShows() {
        var random = RandomSource(seed: 4, stream: 1)
        let shape = [2, 17, 24, 3]
        var y = Tensor((0..<shape.reduce(1, *)).map { _ in random.normal() }, shape: shape)
        let target = Tensor((0..<shape.reduce(1, *)).map { _ in random.normal() }, shape: shape)
        let before = WeaveLoss.loss(y, target)
        let gradient = before.gradient.values
        let length = gradient.reduce(0) { $0 + Double($1) * Double($1) }
        var step = before.gradient
        step.multiply(by: Float(-1e-2 / length.squareRoot()))
        y.add(step)
        let change = WeaveLoss.loss(y, target).value - before.value
        #expect(abs(change / (-1e-2 * length.squareRoot()) - 1) < 0.05)
    }

    @Test func aWindowGivesBackWhatItTook() {
        var random = RandomSource(seed: 5, stream: 1)
        let shape = [2, 40, 36, 3]
        let pictures = Tensor((0..<shape.reduce(1, *)).map { _ in random.normal() }, shape: shape)
        var seen: Set<[Int]> = []
        for _ in 0..<200 {
            let window = PictureWindow(in: shape, smallest: 32, &random)
            #expect(window.height == 33 && window.width == 32 && (0...7).contains(window.top) && (0...4).contains(window.left))
            seen.insert([window.top, window.left])
        }
        #expect(seen.count == 8 * 5)
        let window = PictureWindow(in: shape, smallest: 32, &random)
        let part = window.cut(from: pictures)
        #expect(part.values[0] == pictures.values[(window.top * 36 + window.left) * 3])
        var sum = Tensor(zeros: shape)
        window.add(part, to: &sum)
        #expect(window.cut(from: sum).values == part.values)
        #expect(sum.values.filter { $0 != 0 }.count == part.count)
    }
}
