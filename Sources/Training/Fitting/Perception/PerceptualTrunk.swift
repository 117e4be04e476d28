/// A classifier's trunk as a list of steps, and where it is listened to.
///
/// Sources: torchvision's `alexnet`, `vgg16` and `squeezenet1_1`; LPIPS (arXiv 1801.03924) for the places; ST-LPIPS (arXiv 2207.13686) for the shift-tolerant
/// forms, which blur before they halve.
package enum PerceptualTrunk: String, CaseIterable, Sendable {
    case shiftTolerantAlex = "st_lpips_alex"
    case shiftTolerantVGG = "st_lpips_vgg"
    case alex = "lpips_alex"
    case vgg = "lpips_vgg"
    case squeeze = "lpips_squeeze"

    /// As reports call it.
    package var title: String {
        switch self {
        case .shiftTolerantAlex: "ST-LPIPS (alex)"
        case .shiftTolerantVGG: "ST-LPIPS (vgg)"
        case .alex: "LPIPS (alex)"
        case .vgg: "LPIPS (vgg)"
        case .squeeze: "LPIPS (squeeze)"
        }
    }

    enum Step {
        /// To so many channels.
        case convolution(channels: Int, kernel: Int, padding: Int, stride: Int = 1)
        /// The same with stride 1, then a blur.
        case blurredConvolution(channels: Int, kernel: Int, padding: Int)
        /// SqueezeNet's module: a projection to few channels, then another and a 3×3 convolution beside each other, each to so many; all
        /// rectified.
        case fire(squeezed: Int, expanded: Int)
        case rectification
        /// - Parameter keepsRest: whether a last neighbourhood may reach beyond the border.
        case pooling(size: Int, stride: Int, keepsRest: Bool = false)
        case blur
        /// The features here are compared.
        case listening

        /// Channels of what it makes; nil where they stay as they are.
        var channels: Int? {
            switch self {
            case .convolution(let channels, _, _, _), .blurredConvolution(let channels, _, _): channels
            case .fire(_, let expanded): 2 * expanded
            case .rectification, .pooling, .blur, .listening: nil
            }
        }
    }

    var steps: [Step] {
        switch self {
        case .alex, .shiftTolerantAlex: alexSteps
        case .vgg, .shiftTolerantVGG: vggSteps
        case .squeeze: squeezeSteps
        }
    }

    var isShiftTolerant: Bool { self == .shiftTolerantAlex || self == .shiftTolerantVGG }

    private var alexSteps: [Step] {
        let first: [Step] =
            isShiftTolerant
            ? [.blurredConvolution(channels: 64, kernel: 11, padding: 2), .rectification]
            : [.convolution(channels: 64, kernel: 11, padding: 2, stride: 4), .rectification]
        func next(_ channels: Int, kernel: Int = 3) -> [Step] {
            [.convolution(channels: channels, kernel: kernel, padding: kernel / 2), .rectification, .listening]
        }
        let halving = halving(size: 3)
        return first + [.listening] + halving + next(192, kernel: 5) + halving + next(384) + next(256) + next(256)
    }

    private var vggSteps: [Step] {
        func block(_ channels: Int, _ count: Int) -> [Step] {
            (0..<count).flatMap { _ -> [Step] in [.convolution(channels: channels, kernel: 3, padding: 1), .rectification] } + [.listening]
        }
        let halving = halving(size: 2)
        return block(64, 2) + halving + block(128, 2) + halving + block(256, 3) + halving + block(512, 3) + halving + block(512, 3)
    }

    private var squeezeSteps: [Step] {
        let halving = Step.pooling(size: 3, stride: 2, keepsRest: true)
        func fire(_ squeezed: Int, _ expanded: Int) -> Step { .fire(squeezed: squeezed, expanded: expanded) }
        return [.convolution(channels: 64, kernel: 3, padding: 0, stride: 2), .rectification, .listening]
            + [halving, fire(16, 64), fire(16, 64), .listening, halving, fire(32, 128), fire(32, 128), .listening]
            + [halving, fire(48, 192), .listening, fire(48, 192), .listening, fire(64, 256), .listening, fire(64, 256), .listening]
    }

    private func halving(size: Int) -> [Step] {
        isShiftTolerant ? [.pooling(size: size, stride: 1), .blur] : [.pooling(size: size, stride: 2)]
    }

    /// The least side of a picture that leaves something to compare.
    package static let smallestSide = 32

    /// Numbers that the loss holds for each pixel of a picture: what every layer makes of it, what the target's places of listening give, and
    /// what one layer needs for its gradient.
    var floatsPerPixel: Double {
        var (channels, positions, kept, heard, largest) = (3.0, 1.0, 3.0, 0.0, 3.0)
        for step in steps {
            switch step {
            case .listening:
                heard += channels * positions
                continue
            case .convolution(let outputs, _, _, let stride):
                // Computed at stride 1.
                largest = max(largest, Double(outputs) * positions)
                (channels, positions) = (Double(outputs), positions / Double(stride * stride))
            case .blurredConvolution(let outputs, _, _):
                (channels, positions) = (Double(outputs), positions / 4)
                // Its gradient is copied for the border and again for the stride, and the wider kernel's patches are large.
                largest = max(largest, 2 * channels * positions)
            case .fire(let squeezed, let expanded):
                channels = Double(2 * expanded)
                kept += (Double(2 * squeezed) + channels) * positions
            case .pooling(_, let stride, _): positions /= Double(stride * stride)
            case .blur: positions /= 4
            case .rectification: break
            }
            kept += channels * positions
        }
        return kept + heard + 3 * largest
    }

    /// A convolution as weight files have it: `[out, in, k, k]`.
    struct Convolution {
        /// That of the packages lpips and stlpips-pytorch: the part between two places of listening, and the step, counted from the first.
        let name: String
        let shape: [Int]
    }

    /// All of them, in order.
    var convolutions: [Convolution] {
        var (found, channels, slice, place): ([Convolution], Int, Int, Int) = ([], 3, 1, 0)
        for step in steps {
            func add(_ outputs: Int, of inputs: Int, kernel: Int, part: String = "") {
                found.append(Convolution(name: "net.slice\(slice).\(place)\(part)", shape: [outputs, inputs, kernel, kernel]))
            }
            switch step {
            case .listening: slice += 1
            case .convolution(let outputs, let kernel, _, _): add(outputs, of: channels, kernel: kernel)
            case .blurredConvolution(let outputs, let kernel, _):
                add(outputs, of: channels, kernel: kernel)
                // The blur has a number of its own.
                place += 1
            case .fire(let squeezed, let expanded):
                add(squeezed, of: channels, kernel: 1, part: ".squeeze")
                add(expanded, of: squeezed, kernel: 1, part: ".expand1x1")
                add(expanded, of: squeezed, kernel: 3, part: ".expand3x3")
            case .rectification, .pooling, .blur: break
            }
            if case .listening = step { continue }
            (channels, place) = (step.channels ?? channels, place + 1)
        }
        return found
    }
}
