import CKernels

/// How computations are carried out. Nothing in it changes what a result means: threads change its speed alone, the others its rounding;
/// and what was interrupted has no result.
///
/// There is one context at a time for a thread, ``current``, and one way to set it, for the duration of a call:
///
///     ComputeContext.with(\.threads, 4) { tokenizer.encode(pixels) }
///
/// Operations read it once, on the thread that calls them; the threads that share their work compute in the same one.
package struct ComputeContext: Sendable {
    /// How many threads one operation may use, at least 1; as many as the process may keep busy where nothing else is said.
    package var threads = Processors.usable
    /// Which kernels compute.
    package var instructionSet = InstructionSet.best
    /// What multiplies in ``Precision/bfloat16``; nil where the processor has nothing for it.
    package var bfloat16Unit = BFloat16Unit.available.last
    /// How convolutions are computed that could be computed in several ways; nil for whichever is fastest.
    package var algorithm: ConvolutionAlgorithm?
    /// What is told of every operation.
    package var profile: ComputeProfile?
    /// Ends the networks' work early when it is set; nil where somebody surely waits, as in training.
    package var interruption: Interruption?

    @TaskLocal package static var current = ComputeContext()

    package init() {}

    /// Computes `body` in this context.
    package func run<R>(_ body: () throws -> R) rethrows -> R {
        precondition(threads >= 1, "the number of threads is at least 1, got \(threads)")
        return try Self.$current.withValue(self, operation: body)
    }

    /// Computes `body` in the current context with one part changed.
    package static func with<Value, R>(
        _ part: WritableKeyPath<ComputeContext, Value>, _ value: Value, _ body: () throws -> R
    ) rethrows -> R {
        var context = current
        context[keyPath: part] = value
        return try context.run(body)
    }

    /// Whether what is being computed is not wanted any more.
    package var isInterrupted: Bool { interruption?.isSet == true }

    /// The kernels of the instruction set.
    package var kernels: revq_kernel_table { instructionSet.kernels }

    /// The same for pieces of an operation: each belongs to one thread, and its time to the operation.
    var forPieces: ComputeContext {
        var context = self
        (context.threads, context.profile) = (1, nil)
        return context
    }
}
