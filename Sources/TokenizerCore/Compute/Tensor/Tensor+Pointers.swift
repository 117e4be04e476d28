/// What a kernel reads: a tensor, or one that need not be there.
package protocol PointerSource {
    associatedtype Pointer
    /// The numbers in memory, for as long as this value lives.
    var pointer: Pointer { get }
}

extension Tensor: PointerSource {
    package var pointer: UnsafePointer<Float> { withPointer { $0 } }
}

extension Optional: PointerSource where Wrapped == Tensor {
    package var pointer: UnsafePointer<Float>? { self?.pointer }
}

/// Passes the memory of one tensor to write and of others to read. A source that shares the target's memory keeps what it holds: the target
/// is copied first.
package func withPointers<each Source: PointerSource, R>(
    writing target: inout Tensor, reading source: repeat each Source,
    body: (UnsafeMutablePointer<Float>, repeat (each Source).Pointer) -> R
) -> R {
    defer { withExtendedLifetime((repeat each source)) {} }
    return target.withMutablePointer { body($0, repeat (each source).pointer) }
}

/// The same where nothing is written.
package func withPointers<each Source: PointerSource, R>(
    reading source: repeat each Source, body: (repeat (each Source).Pointer) -> R
) -> R {
    defer { withExtendedLifetime((repeat each source)) {} }
    return body(repeat (each source).pointer)
}

/// The same with two tensors to write.
package func withPointers<each Source: PointerSource, R>(
    writing first: inout Tensor, _ second: inout Tensor, reading source: repeat each Source,
    body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, repeat (each Source).Pointer) -> R
) -> R {
    defer { withExtendedLifetime((repeat each source)) {} }
    return first.withMutablePointer { first in
        second.withMutablePointer { body(first, $0, repeat (each source).pointer) }
    }
}

/// The same with three tensors to write.
package func withPointers<each Source: PointerSource, R>(
    writing first: inout Tensor, _ second: inout Tensor, _ third: inout Tensor, reading source: repeat each Source,
    body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, repeat (each Source).Pointer) -> R
) -> R {
    defer { withExtendedLifetime((repeat each source)) {} }
    return first.withMutablePointer { first in
        second.withMutablePointer { second in
            third.withMutablePointer { body(first, second, $0, repeat (each source).pointer) }
        }
    }
}

/// Passes memory for `count` floats, contents undefined, from the pool that tensors come from.
package func withScratch<R>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> R) -> R {
    var scratch = Tensor(uninitialized: [count])
    return scratch.withMutablePointer(body)
}
