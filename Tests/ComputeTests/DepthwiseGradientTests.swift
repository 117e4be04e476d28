import Glibc
import TestSupport
import Testing

@testable import Compute
@testable import Networks

struct DepthwiseGradientTests {
    /// Images, h, w, c, k: one block of pixels, several with ragged edges, ragged channels, common kernels and others.
    static let sizes = [
        [2, 8, 8, 32, 3], [2, 3, 11, 20, 5], [1, 17, 9, 70, 3], [1, 1, 1, 2, 5], [1, 9, 20, 6, 7], [3, 5, 7, 6, 1], [1, 10, 3, 4, 15],
    ]

    @Test(arguments: InstructionSet.supported, sizes)
    func agreesWithDoublePrecision(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 61)
        let (layer, x) = sample(size, &values)
        let dy = values.tensor(x.shape)
        let exact = gradients(of: layer, x.values.map(Double.init), dy.values.map(Double.init), x.shape)
        ComputeContext.with(\.instructionSet, set) {
            var (kept, gradient) = (Tape.keeping, layer.zeroed())
            kept.keep(x)
            let dx = layer.backward(dy, from: &kept, into: &gradient)
            expect(dx, gradient, toBe: exact)
        }
    }

    @Test(arguments: InstructionSet.supported, sizes)
    func passesTheGateAndTheActivation(set: InstructionSet, size: [Int]) {
        var values = TestValues(seed: 62)
        let (layer, x) = sample(size, &values)
        let c = x.c
        let dy = values.tensor([x.n, x.h, x.w, c / 2])
        ComputeContext.with(\.instructionSet, set) {
            var kept = Tape.keeping
            let activated = Activation.silu.forward(x, keeping: &kept)
            _ = layer.forwardGated(activated, keeping: &kept)
            let halves = convolve(activated, with: PackedDepthwise(layer.weight), bias: layer.bias).values.map(Double.init)
            let dhalves = gateGradient(halves, dy.values.map(Double.init), c)
            var exact = gradients(of: layer, x.values.map { silu(Double($0)).value }, dhalves, x.shape)
            exact.dx = zip(exact.dx, x.values).map { $0 * silu(Double($1)).slope }

            var gradient = layer.zeroed()
            let dx = layer.backwardGated(dy, behind: .silu, from: &kept, into: &gradient)
            #expect(kept.isEmpty)
            expect(dx, gradient, toBe: exact)
        }
    }

    private func sample(_ size: [Int], _ values: inout TestValues) -> (DepthwiseConv2d, Tensor) {
        var initializer = Initializer.placeholder
        var layer = DepthwiseConv2d(size[3], kernel: size[4], hasBias: true, &initializer)
        (layer.weight, layer.bias) = (values.tensor([size[3], 1, size[4], size[4]]), values.tensor([size[3]]))
        return (layer, values.tensor([size[0], size[1], size[2], size[3]]))
    }

    private func expect(_ dx: Tensor, _ gradient: DepthwiseConv2d, toBe exact: (dx: [Double], dweight: [Double], dbias: [Double])) {
        #expect(relativeError(dx, exact.dx) < 1e-6)
        #expect(relativeError(gradient.weight, exact.dweight) < 1e-6)
        #expect(relativeError(gradient.bias!, exact.dbias) < 1e-6)
    }

    /// One multiplication at a time.
    private func gradients(
        of layer: DepthwiseConv2d, _ x: [Double], _ dy: [Double], _ shape: [Int]
    ) -> (dx: [Double], dweight: [Double], dbias: [Double]) {
        let (h, w, c, k) = (shape[1], shape[2], shape[3], layer.weight.shape[2])
        let weight = layer.weight.values
        var (dx, dweight, dbias) = (
            [Double](repeating: 0, count: x.count), [Double](repeating: 0, count: c * k * k), [Double](repeating: 0, count: c)
        )
        for i in dy.indices {
            let (pixel, channel) = i.quotientAndRemainder(dividingBy: c)
            let (image, row, column) = (pixel / (h * w), pixel / w % h, pixel % w)
            dbias[channel] += dy[i]
            for ty in 0..<k {
                for tx in 0..<k where 0..<h ~= row + ty - k / 2 && 0..<w ~= column + tx - k / 2 {
                    let from = ((image * h + row + ty - k / 2) * w + column + tx - k / 2) * c + channel
                    let tap = (channel * k + ty) * k + tx
                    dx[from] += dy[i] * Double(weight[tap])
                    dweight[tap] += dy[i] * x[from]
                }
            }
        }
        return (dx, dweight, dbias)
    }

    private func gateGradient(_ halves: [Double], _ dy: [Double], _ c: Int) -> [Double] {
        halves.indices.map { i in
            let (pixel, channel) = i.quotientAndRemainder(dividingBy: c)
            let (value, gate) = (halves[pixel * c + channel % (c / 2)], silu(halves[pixel * c + c / 2 + channel % (c / 2)]))
            return dy[pixel * (c / 2) + channel % (c / 2)] * (channel < c / 2 ? gate.value : value * gate.slope)
        }
    }

    private func silu(_ x: Double) -> (value: Double, slope: Double) {
        let s = 1 / (1 + exp(-x))
        return (x * s, s * (1 + x * (1 - s)))
    }
}
