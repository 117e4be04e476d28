import Glibc
import Images

/// Makes the square that a model sees out of an image file, within bounds on time and memory.
struct ImageIntake: Sendable {
    let limits: ImageLimits
    /// Charged with what decoding takes before anything is allocated, until only the square is left.
    let memory: MemoryBudget

    /// - Parameter isWanted: asked while decoding goes on, which ends where the client has gone.
    func square(of file: ArraySlice<UInt8>, imageSize: Int, isWanted: () -> Bool) throws(Problem) -> RGBImage {
        let header = try Problem.refusing { () throws(ImageError) in
            let header = try ImageHeader.parse(file)
            try limits.check(header, forSquaresOf: imageSize)
            return header
        }
        let decoded = try Problem.refusing { () throws(MemoryExhausted) in
            try memory.holding(header.bytes(forSquaresOf: imageSize)) {
                Result { () throws(ImageError) in try decode(file, header, imageSize, isWanted) }
            }
        }
        return try Problem.refusing { () throws(ImageError) in try decoded.get() }
    }

    private func decode(
        _ file: ArraySlice<UInt8>, _ header: ImageHeader, _ imageSize: Int, _ isWanted: () -> Bool
    ) throws(ImageError) -> RGBImage {
        let limit = limits.processorTime(of: header)
        // A thread computes no longer than time passes, and to ask what time it is takes no system call.
        let (earliest, end) = (Self.now(by: CLOCK_MONOTONIC) + limit, Self.now(by: CLOCK_THREAD_CPUTIME_ID) + limit)
        do throws(ImageError) {
            return try ImageDecoder.square(file, header, imageSize: imageSize, limits: limits) {
                (Self.now(by: CLOCK_MONOTONIC) < earliest || Self.now(by: CLOCK_THREAD_CPUTIME_ID) < end) && isWanted()
            }
        } catch .stopped where isWanted() {
            throw .tooLarge("decoding the \(header.width)×\(header.height) image takes more than \(limit) of a processor, which is the limit")
        }
    }

    /// By the thread's own clock: what it has computed so far. Waiting for a busy machine does not count.
    private static func now(by clock: clockid_t) -> Duration {
        var time = timespec()
        clock_gettime(clock, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
