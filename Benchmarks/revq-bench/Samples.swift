import ArgumentParser
import Compute
import Files
import Images

/// What accuracy is measured on.
enum Samples {
    /// The readable images of a folder as squares, by name.
    static func pictures(_ folder: String, size: Int) throws -> [(name: String, picture: RGBImage)] {
        let preprocess = SquarePreprocessor(imageSize: size)
        let names = try StoredFolder.names(in: folder).filter { $0.hasSuffix(".png") || $0.hasSuffix(".jpg") || $0.hasSuffix(".jpeg") }
        guard !names.isEmpty else { throw ValidationError("\(folder) holds no .png, .jpg or .jpeg") }
        return try names.sorted().map { ($0, preprocess(try ImageDecoder.decode(StoredFile.read("\(folder)/\($0)"), limits: ImageLimits()))) }
    }

    static func noise(_ shape: [Int]) -> Tensor {
        var random = RandomSource(seed: 1, stream: 1)
        var tensor = Tensor(uninitialized: shape)
        random.fill(normal: &tensor, mean: 0, deviation: 0.5)
        return tensor
    }
}

extension Tensor {
    /// ‖x − reference‖ / ‖reference‖
    func relativeError(to reference: Tensor) -> Double {
        let (x, reference) = (values, reference.values)
        let difference = zip(x, reference).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return (difference / reference.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
    }
}
