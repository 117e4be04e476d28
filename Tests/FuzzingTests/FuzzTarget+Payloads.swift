import Files
import FoundationEssentials

@testable import HTTPTransport
@testable import Images
@testable import Service
@testable import TokenizerCore

extension FuzzTarget {
    /// A document that is accepted is one to every reader, and the same one.
    static func runJSON(_ bytes: [UInt8]) {
        let type = MediaType(parsing: MediaType.json)!
        _ = try? ClaimedTokens(bytes, type: type, fingerprint: "f", listLimit: 4)
        if let tokens = try? ClaimedTokens(bytes, type: type, fingerprint: nil), case .values(let values) = tokens.content {
            struct Document: Decodable {
                let fingerprint: String
                let tokens: [Int]
            }
            let document = try? JSONDecoder().decode(Document.self, from: Data(bytes))
            precondition(document?.tokens == values && document?.fingerprint == tokens.fingerprint, "another document to Foundation")
        }
        if let image = try? ImageBody(bytes, type: type, listLimit: 4), !image.isList {
            struct Document: Decodable {
                let image: String
            }
            let document = try? JSONDecoder().decode(Document.self, from: Data(bytes))
            precondition(document != nil, "no document to Foundation")
            // It reads base64 in one form alone.
            let file = document.flatMap { Data(base64Encoded: $0.image) }.map(Array.init)
            precondition(file == nil || file == (try? image.files[0].get()).map(Array.init), "another file to Foundation")
        }
    }

    /// What is read is written and read again as the same.
    static func runPacked(_ bytes: [UInt8]) {
        _ = try? ClaimedTokens(bytes, type: nil, fingerprint: nil, listLimit: 4)
        guard let packed = try? PackedTokens(parsing: bytes, maximumCount: 4096), packed.tokensPerImage > 0, packed.bits < 32 else { return }
        let again = PackedTokens(
            packed.values, tokensPerImage: packed.tokensPerImage, codebookSize: 1 << packed.bits, fingerprint: packed.fingerprint)
        precondition(again.serialized() == bytes, "not the same when it was read and written")
    }

    /// An array that is read is written and read again as the same.
    static func runNumPy(_ bytes: [UInt8]) {
        _ = try? ClaimedTokens(bytes, type: MediaType(parsing: MediaType.npy)!, fingerprint: "f")
        guard let array = try? NumPyArray(parsing: bytes) else { return }
        precondition((array.integers?.count ?? array.floats?.count) == array.count)
        precondition((try? NumPyArray(parsing: array.serialized())) == array, "not the same when it was written and read")
    }

    /// The first two bytes say how much is JSON, 65,535 that all is. Whatever is taken fills the shapes that it says it has.
    static func runInference(_ bytes: [UInt8]) {
        guard bytes.count >= 2 else { return }
        let length = Int(bytes[0]) | Int(bytes[1]) << 8
        guard let request = try? InferenceRequest(Array(bytes.dropFirst(2)), headerBytes: length == 65_535 ? nil : length) else { return }
        let served = ServedModel(name: "m", engine: NoEngine())
        for operation in InferenceModel.operations {
            let model = InferenceModel(operation: operation, served: served)
            _ = try? request.wanted(of: model.outputs)
            guard let sources = try? model.sources(of: request, listLimit: 4) else { continue }
            let tensor = request.inputs[0]
            precondition(sources.count == (tensor.shape.count == 1 && tensor.name == "tokens" ? 1 : tensor.shape[0]), "not as many as the shape says")
            precondition(sources.count <= 4 && tensor.count > 0 || tensor.name == "tokens", "more than the limit")
        }
    }

    /// Whose facts are all that is asked for.
    private final class NoEngine: Engine {
        let facts = ModelFacts(
            version: 1, fingerprint: "f1", size: PictureSize(height: 2, width: 2)!, autoencoder: "None", latentShape: [1, 2, 2], tokensPerImage: 4,
            codebookSize: 300, precision: .float32)

        func encode(_ images: [RGBImage]) throws -> Tokens { preconditionFailure("nothing is computed here") }
        func decode(_ tokens: Tokens) throws -> [RGBImage] { preconditionFailure("nothing is computed here") }
        func resized(to size: PictureSize) -> any Engine { preconditionFailure("nothing is computed here") }
    }

    /// The first line is the content type, the rest the body.
    static func runMultipart(_ bytes: [UInt8]) {
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let body = Array(bytes.dropFirst(line.count + 1))
        guard let type = MediaType(parsing: String(decoding: line, as: UTF8.self)) else { return }
        _ = try? ImageBody(body, type: type, listLimit: 4)
        guard let boundary = type.parameters["boundary"], let parts = try? MultipartBody(body, boundary: boundary).parts else { return }
        var end = 0
        for part in parts {
            precondition(part.content.lowerBound >= end && part.content.upperBound <= body.count, "parts \(parts) of \(body.count) bytes")
            end = part.content.upperBound
        }
    }
}
