import Testing

@testable import Images
@testable import Service
@testable import TokenizerCore

/// An engine that breaks its promises.
private final class BrokenEngine: Engine {
    let facts = FakeEngine().facts

    func encode(_ images: [RGBImage]) throws -> Tokens { Tokens(tokensPerImage: 1, indices: [1]) }

    func decode(_ tokens: Tokens) throws -> [RGBImage] { [] }

    func resized(to size: PictureSize) -> any Engine { self }
}

@Suite struct EngineRunTests {
    @Test func runsEveryOperation() {
        let engine = FakeEngine()
        let image = FakeEngine.image(filledWith: 9)
        #expect(engine.runEach(.encode, [.image(image)]) == [.success(.tokens(Tokens(ofOneImage: [9, 10, 11, 12])))])
        #expect(engine.runEach(.decode, [.tokens(Tokens(ofOneImage: [5, 0, 0, 0]))]) == [.success(.image(FakeEngine.image(filledWith: 5)))])
        #expect(engine.runEach(.reconstruct, [.image(image)]) == [.success(.image(image))])
    }

    @Test func runsEveryOperationInAnotherSize() throws {
        let size = try #require(PictureSize(height: 4, width: 12))
        let engine = try FakeEngine(sizeStep: 4).resized(to: size)
        let (image, tokens) = (FakeEngine.image(filledWith: 9, size), Tokens(ofOneImage: [9, 10, 11]))
        #expect(engine.runEach(.encode, [.image(image), .image(image)]) == [.success(.tokens(tokens)), .success(.tokens(tokens))])
        #expect(engine.runEach(.decode, [.tokens(tokens)]) == [.success(.image(image))])
        #expect(engine.runEach(.reconstruct, [.image(image)]) == [.success(.image(image))])
    }

    @Test func anEngineThatBreaksItsPromiseFailsTheItem() {
        let image = EngineInput.image(FakeEngine.image(filledWith: 9))
        for (operation, input) in [(.encode, image), (.decode, .tokens(Tokens(ofOneImage: [1, 2, 3, 4]))), (.reconstruct, image)]
            as [(Operation, EngineInput)]
        {
            guard case .failure = BrokenEngine().runEach(operation, [input])[0] else {
                Issue.record("\(operation) succeeded")
                continue
            }
        }
    }
}
