import HTTPTransport
import Images
import TokenizerCore

/// A model as the Open Inference Protocol knows it: one direction of one of ours, called `default.encode` or `default.decode`.
struct InferenceModel: Sendable {
    let operation: Operation
    let served: ServedModel

    static let operations = [Operation.encode, .decode]
    static let platform = "revq"

    var name: String { "\(served.name).\(operation.rawValue)" }
    var facts: ModelFacts { served.facts }

    init(operation: Operation, served: ServedModel) {
        (self.operation, self.served) = (operation, served)
    }

    /// What a name and a version stand for.
    /// - Parameter version: a number or a label; nil for the stable one.
    init(_ name: String, version: String?, in registry: ModelRegistry) throws(ModelError) {
        guard let operation = Self.operations.first(where: { name.hasSuffix(".\($0.rawValue)") }) else {
            guard registry.isReady else { throw .notReady }
            throw .unknown(name, served: registry.listing.flatMap { model in Self.operations.map { "\(model.name).\($0.rawValue)" } })
        }
        self.operation = operation
        let model = String(name.dropLast(operation.rawValue.count + 1))
        served = try registry.find(model, version: version)
    }

    /// The same for pictures of the size that a request says, or that its pixels have.
    func resized(for request: InferenceRequest, within limits: SizeLimits) throws(SizeRefusal) -> InferenceModel {
        var size = request.size
        if size == nil, facts.sizeStep != nil, let pixels = request.inputs.first(where: { $0.name == "pixels" }), pixels.shape.count == 4 {
            size = PictureSize(height: pixels.shape[1], width: pixels.shape[2])
        }
        return InferenceModel(operation: operation, served: try served.resized(to: size, within: limits))
    }

    // MARK: Tensors

    /// Names of inputs of which a request has one, and of outputs.
    var inputs: [String] { operation == .encode ? ["image", "pixels"] : ["tokens"] }
    var outputs: [String] { operation == .encode ? ["tokens"] : ["image", "pixels"] }

    private func type(of tensor: String) -> InferenceTensor.DataType {
        switch tensor {
        case "image": .bytes
        case "pixels": .uint8
        default: .int64
        }
    }

    /// - Parameter count: of images; -1 for any.
    private func shape(of tensor: String, count: Int) -> [Int] {
        switch tensor {
        case "image": [count]
        case "pixels": [count, facts.size.height, facts.size.width, 3]
        default: [count, facts.tokensPerImage]
        }
    }

    func metadata(versions: [Int]) -> JSONValue {
        [
            "name": .string(name), "versions": .array(versions.map { .string("\($0)") }), "platform": .string(Self.platform),
            "inputs": .array(inputs.map(description)), "outputs": .array(outputs.map(description)),
        ]
    }

    private func description(of tensor: String) -> JSONValue {
        [
            "name": .string(tensor), "datatype": .string(type(of: tensor).rawValue),
            "shape": .array(shape(of: tensor, count: -1).map(JSONValue.integer)),
        ]
    }

    // MARK: In

    /// What a request asks to be computed.
    func sources(of request: InferenceRequest, listLimit limit: Int) throws(PayloadError) -> [Result<ComputeItem.Source, PayloadError>] {
        let tensor = try request.onlyInput(of: inputs)
        let count = try images(in: tensor)
        guard count >= 1 else { throw .invalid("the shape of \(tensor.name) is \(tensor.shape), which has no images") }
        guard count <= limit else { throw .tooMany("\(tensor.name) has \(count) images; at most \(limit) are taken at once") }
        switch tensor.name {
        case "image": return try tensor.files().map { $0.map { .picture($0) } }
        case "pixels": return try pixels(of: tensor).map { .success(.pixels($0)) }
        default:
            let tokens = try tensor.integers()
            let each = tokens.count / count
            return (0..<count).map { index in
                Result { () throws(PayloadError) in .tokens(try ClaimedTokens.check(Array(tokens[index * each..<(index + 1) * each]), for: facts)) }
            }
        }
    }

    /// How many images a tensor has, whose shape is checked.
    private func images(in tensor: InferenceTensor) throws(PayloadError) -> Int {
        let (shape, expected) = (tensor.shape, shape(of: tensor.name, count: -1))
        switch tensor.name {
        case "image" where shape.count == 1 || shape.count == 2 && shape[1] == 1: return shape[0]
        case "tokens" where shape.count == 1: return 1
        case "tokens" where shape.count == 2, "pixels" where shape.count == 4 && shape[1...] == expected[1...]: return shape[0]
        default: throw .invalid("the shape of \(tensor.name) is \(shape); expected \(expected)")
        }
    }

    /// Pictures as the model sees them: `UINT8`, or `FP32` from 0 to 1.
    private func pixels(of tensor: InferenceTensor) throws(PayloadError) -> [RGBImage] {
        let bytes: [UInt8]
        switch tensor.type {
        case .float32:
            bytes = try tensor.floats().map { value throws(PayloadError) in
                guard (0...1).contains(value) else { throw .invalid("pixels has \(value); as FP32 they are from 0 to 1") }
                return UInt8((value * 255).rounded())
            }
        case .uint8:
            if case .raw(let raw) = tensor.content {
                bytes = Array(raw)
            } else {
                bytes = try tensor.integers().map { value throws(PayloadError) in
                    guard let byte = UInt8(exactly: value) else { throw .invalid("pixels has \(value); as UINT8 they are 0 to 255") }
                    return byte
                }
            }
        default: throw .invalid("the datatype of pixels is \(tensor.type.rawValue); expected UINT8 or FP32")
        }
        let count = 3 * facts.size.pixels
        return (0..<tensor.shape[0]).map { index in
            RGBImage(width: facts.size.width, height: facts.size.height, pixels: Array(bytes[index * count..<(index + 1) * count]))
        }
    }

    // MARK: Out

    /// - Returns: the body, and how much of it is JSON where tensors follow.
    func answer(_ outcomes: [Outcome], _ outputs: [InferenceRequest.Output], id: String?) -> (body: [UInt8], headerBytes: Int?) {
        var binary: [UInt8] = []
        let tensors = outputs.map { output -> JSONValue in
            var fields: [String: JSONValue] = [
                "name": .string(output.name), "datatype": .string(type(of: output.name).rawValue),
                "shape": .array(shape(of: output.name, count: outcomes.count).map(JSONValue.integer)),
            ]
            if output.isBinary {
                let bytes = outcomes.flatMap { binaryContent(of: $0, output.name) }
                fields["parameters"] = ["binary_data_size": .integer(bytes.count)]
                binary += bytes
            } else {
                fields["data"] = content(of: outcomes, output.name)
            }
            return .object(fields)
        }
        var document: [String: JSONValue] = [
            "model_name": .string(name), "model_version": .string("\(facts.version)"), "outputs": .array(tensors),
            "parameters": .object(parameters),
        ]
        if let id { document["id"] = .string(id) }
        let header = JSONValue.object(document).bytes
        return (header + binary, outputs.contains(where: \.isBinary) ? header.count : nil)
    }

    /// Whose tokens they are, and what pictures they stand for where those are not of the model's own size.
    private var parameters: [String: JSONValue] {
        var parameters: [String: JSONValue] = ["fingerprint": .string(facts.fingerprint)]
        if let size = served.otherSize { parameters["size"] = .string("\(size)") }
        return parameters
    }

    private func content(of outcomes: [Outcome], _ name: String) -> JSONValue {
        switch name {
        // JSON has no bytes: base64, as the input takes them.
        case "image": .array(outcomes.map { .bytes(PNGEncoder.encode($0.image)) })
        case "pixels": .integers(outcomes.flatMap { $0.image.pixels.map { Int32($0) } })
        default: .integers(outcomes.flatMap(\.tokens.indices))
        }
    }

    private func binaryContent(of outcome: Outcome, _ name: String) -> [UInt8] {
        switch name {
        case "image":
            let file = PNGEncoder.encode(outcome.image)
            return (0..<4).map { UInt8(truncatingIfNeeded: file.count >> (8 * $0)) } + file
        case "pixels": return outcome.image.pixels
        default: return outcome.tokens.indices.flatMap { token in (0..<8).map { UInt8(truncatingIfNeeded: Int64(token) >> (8 * Int64($0))) } }
        }
    }
}

extension Outcome {
    /// - Precondition: the engine was asked for it.
    fileprivate var image: RGBImage {
        guard case .image(let image) = output else { preconditionFailure("tokens where an image belongs") }
        return image
    }

    fileprivate var tokens: Tokens {
        guard case .tokens(let tokens) = output else { preconditionFailure("an image where tokens belong") }
        return tokens
    }
}
