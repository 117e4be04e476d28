import HTTPTransport
import Images
import Locks
import Threads
import TokenizerCore

/// One picture, or one picture's tokens, on the way to the engine and back.
///
///     pool thread: run → (decode) → compute thread: batch → pool thread: end
final class ComputeItem: Sendable {
    enum Source: Sendable {
        /// An image file.
        case picture(ArraySlice<UInt8>)
        /// A picture as the model sees it.
        case pixels(RGBImage)
        case tokens(Tokens)
    }

    /// Who waits for it.
    struct Owner: Sendable {
        let isWaiting: @Sendable () -> Bool
        let progress: @Sendable (RequestRecord.Stage) -> Void
        /// Called once at most, on a pool's thread.
        let done: @Sendable (Result<Outcome, Problem>) -> Void
    }

    private let operation: Operation
    private let source: Source
    private let model: ServedModel
    /// Its slot, which its owner frees.
    private let ticket: Ticket
    /// nil where nobody else may have its result.
    private let key: SharedResults.Key?
    private let stages: ComputeStages
    private let owner: Owner
    /// The work waiting in a pool, so that it can be taken back.
    private let piece = Lock<(pool: WorkPool, piece: WorkPool.Piece)?>(nil)

    init(
        _ operation: Operation, _ source: Source, of model: ServedModel, _ ticket: Ticket, sharedAs key: SharedResults.Key?, stages: ComputeStages,
        owner: Owner
    ) {
        (self.operation, self.source, self.model, self.ticket) = (operation, source, model, ticket)
        (self.key, self.stages, self.owner) = (key, stages, owner)
    }

    /// Begins on a thread of its own.
    func begin() {
        submitSource { self.run() }
    }

    /// Begins on this thread, which is one of a pool.
    func run() {
        guard let key else { return compute() }
        switch stages.results.join(self, for: key) {
        case .known(let outcome): owner.done(.success(outcome))
        case .leads: compute()
        case .follows: owner.progress(.queue)
        }
    }

    /// Goes on in the place of another item, whose client has gone.
    func lead() {
        submitSource { self.compute() }
    }

    /// Gets what another one has computed.
    func receive(_ result: Result<Outcome, Problem>) {
        owner.progress(.finish)
        submit(to: stages.answers, .answer) { self.owner.done(result) }
    }

    /// Takes its work out of the queues: nobody waits for it any more. Its slot is free already.
    func giveUp() {
        if let (pool, piece) = piece.withLock({ $0 }) { pool.cancel(piece) }
        leave()
    }

    private func leave() {
        if let key { stages.results.leave(self, for: key) }
    }

    private func submitSource(_ work: @escaping @Sendable () -> Void) {
        switch source {
        case .picture: submit(to: stages.pictures, .picture, work)
        case .pixels, .tokens: submit(to: stages.answers, .answer, work)
        }
    }

    private func submit(to pool: WorkPool, _ work: Watchdog.Work, _ body: @escaping @Sendable () -> Void) {
        let piece = pool.submit { [watchdog = stages.watchdog] in watchdog.watching(work, body) }
        self.piece.withLock { $0 = (pool, piece) }
    }

    private func compute() {
        guard owner.isWaiting() else { return leave() }
        do throws(Problem) {
            let input = try input()
            if case .image(let picture) = input { stages.trials.offer(picture, to: model) }
            owner.progress(.queue)
            let item = BatchQueue.Item(
                engine: model.engine, operation: operation, input: input, places: model.places, begin: { self.owner.progress(.compute) },
                completion: { result in
                    self.owner.progress(.finish)
                    self.submit(to: self.stages.answers, .answer) { self.end(result, for: input) }
                })
            // Refused only if the client has gone meanwhile.
            if !stages.queue.enqueue(item, for: ticket) { leave() }
        } catch {
            end(.failure(error))
        }
    }

    private func input() throws(Problem) -> EngineInput {
        switch source {
        case .pixels(let image): return .image(image)
        case .tokens(let tokens): return .tokens(tokens)
        case .picture(let file):
            return .image(try stages.intake.picture(of: file, size: model.facts.size, isWanted: owner.isWaiting))
        }
    }

    private func end(_ result: Result<EngineOutput, EngineFailure>, for input: EngineInput) {
        guard owner.isWaiting() else { return leave() }
        switch result {
        case .success(let output): end(.success(Outcome(output, of: input)))
        case .failure(let failure): end(.failure(failure.problem))
        }
    }

    /// What ended only because its client has gone is no result for others: whoever is next computes it.
    private func end(_ result: Result<Outcome, Problem>) {
        guard owner.isWaiting() else { return leave() }
        if let key { stages.results.settle(self, for: key, result) }
        owner.done(result)
    }
}
