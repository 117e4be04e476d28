import HTTPTransport

/// The body of an inference request: JSON, behind which the bytes of binary tensors follow.
///
/// Source: Open Inference Protocol, version 2, and its extension for binary tensors.
struct InferenceRequest: Equatable {
    struct Output: Equatable {
        let name: String
        let isBinary: Bool
    }

    private(set) var id: String?
    /// Whose tokens it brings: the parameter `fingerprint`.
    private(set) var fingerprint: String?
    /// Of the pictures, where that is not the model's own: the parameter `size`.
    private(set) var size: PictureSize?
    private(set) var inputs: [InferenceTensor] = []
    /// Those that are asked for; nil for all.
    private(set) var outputs: [Output]?
    /// Whether all outputs are wanted in binary, where none are named.
    private(set) var isBinary = false

    private static let mostTensors = 8

    /// What one says of itself before the bytes of binary ones are dealt.
    private struct Declaration {
        var type: String?
        var shape: [Int]?
        var content: InferenceTensor.Content?
        var binaryBytes: Int?
    }

    /// - Parameter headerBytes: how much of the body is JSON: the `Inference-Header-Content-Length` header; nil for all of it.
    init(_ body: [UInt8], headerBytes: Int?) throws(PayloadError) {
        let headerBytes = headerBytes ?? body.count
        guard headerBytes <= body.count else {
            throw .malformed("Inference-Header-Content-Length is \(headerBytes); the body has \(body.count) bytes")
        }
        var declared: [(name: String, Declaration)] = []
        var hasInputs = false
        try JSONReader.readDocument(Array(body[..<headerBytes]), fields: ["id", "parameters", "inputs", "outputs"]) {
            field, reader throws(PayloadError) in
            switch field {
            case "id": id = try reader.readString(field)
            case "parameters": try readParameters(&reader)
            case "inputs":
                hasInputs = true
                declared = try reader.readArray(field, of: "tensors", atMost: Self.mostTensors) { name, reader throws(PayloadError) in
                    try Self.readInput(name, &reader)
                }
            default:
                outputs = try reader.readArray(field, of: "tensors", atMost: Self.mostTensors) { name, reader throws(PayloadError) in
                    try Self.readOutput(name, &reader)
                }
            }
        }
        guard hasInputs else { throw .invalid("the field \"inputs\" is missing; expected an array of tensors") }
        try deal(body[headerBytes...], to: declared)
    }

    /// Gives each binary tensor its bytes, in order.
    private mutating func deal(_ bytes: ArraySlice<UInt8>, to declared: [(name: String, Declaration)]) throws(PayloadError) {
        var rest = bytes
        for (name, tensor) in declared {
            guard !inputs.contains(where: { $0.name == name }) else { throw .invalid("the input \"\(name.shortened)\" occurs twice") }
            guard let type = tensor.type, let shape = tensor.shape else {
                throw .invalid("the input \"\(name.shortened)\" has no datatype or no shape")
            }
            var content = tensor.content
            if let count = tensor.binaryBytes {
                guard content == nil else { throw .invalid("the input \"\(name.shortened)\" has both data and a binary_data_size") }
                guard (0...rest.count).contains(count) else {
                    throw .malformed("the input \"\(name.shortened)\" is to have \(count) bytes; \(rest.count) are left of the body")
                }
                content = .raw(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            guard let content else { throw .invalid("the input \"\(name.shortened)\" has no data") }
            inputs.append(try InferenceTensor(name, type, shape, content))
        }
        guard rest.isEmpty else { throw .malformed("\(rest.count) bytes follow what the inputs say they have") }
    }

    private mutating func readParameters(_ reader: inout JSONReader) throws(PayloadError) {
        try reader.readAnyObject(named: "parameters") { field, reader throws(PayloadError) in
            switch field {
            case "fingerprint": fingerprint = try reader.readString(field)
            case "size":
                let text = try reader.readText(field)
                guard let said = PictureSize(text) else { throw .invalid("size is \"\(text.shortened)\"; expected \(PictureSize.form)") }
                size = said
            case "binary_data_output": isBinary = try reader.readText(field) == "true"
            default: _ = try reader.readText(field)
            }
        }
    }

    private static func readInput(_ name: String, _ reader: inout JSONReader) throws(PayloadError) -> (name: String, Declaration) {
        var title: String?
        var tensor = Declaration()
        try reader.readObject(["name", "shape", "datatype", "parameters", "data"], named: name) { field, reader throws(PayloadError) in
            switch field {
            case "name": title = try reader.readString("\(name).name")
            case "shape": tensor.shape = try reader.readIntegers("\(name).shape", atMost: 8)
            case "datatype": tensor.type = try reader.readString("\(name).datatype")
            case "data": tensor.content = try reader.readTensor("\(name).data")
            default:
                try reader.readAnyObject(named: "\(name).parameters") { field, reader throws(PayloadError) in
                    if field == "binary_data_size" { tensor.binaryBytes = try reader.readInteger(field) } else { _ = try reader.readText(field) }
                }
            }
        }
        guard let title else { throw .invalid("\(name) has no name") }
        return (title, tensor)
    }

    private static func readOutput(_ name: String, _ reader: inout JSONReader) throws(PayloadError) -> Output {
        var title: String?
        var isBinary = false
        try reader.readObject(["name", "parameters"], named: name) { field, reader throws(PayloadError) in
            if field == "name" {
                title = try reader.readString("\(name).name")
            } else {
                try reader.readAnyObject(named: "\(name).parameters") { field, reader throws(PayloadError) in
                    guard field != "classification" else { throw .invalid("\(name) asks for a classification, which there is none of") }
                    let value = try reader.readText(field)
                    if field == "binary_data" { isBinary = value == "true" }
                }
            }
        }
        guard let title else { throw .invalid("\(name) has no name") }
        return Output(name: title, isBinary: isBinary)
    }

    /// The only input, by its name.
    /// - Parameter known: the names that it may have.
    func onlyInput(of known: [String]) throws(PayloadError) -> InferenceTensor {
        guard inputs.count == 1, known.contains(inputs[0].name) else {
            let found = inputs.isEmpty ? "none" : inputs.map { "\"\($0.name.shortened)\"" }.joined(separator: ", ")
            throw .invalid("the inputs are \(found); expected \(known.joined(separator: " or ")), and nothing else")
        }
        return inputs[0]
    }

    /// The outputs to answer with.
    /// - Parameter known: all that there are.
    func wanted(of known: [String]) throws(PayloadError) -> [Output] {
        guard let outputs else { return known.map { Output(name: $0, isBinary: isBinary) } }
        for (index, output) in outputs.enumerated() {
            guard known.contains(output.name), !outputs[..<index].contains(where: { $0.name == output.name }) else {
                throw .invalid("the output \"\(output.name.shortened)\" is asked for; there are \(known.joined(separator: ", ")), each once")
            }
        }
        return outputs.isEmpty ? known.map { Output(name: $0, isBinary: isBinary) } : outputs
    }
}
