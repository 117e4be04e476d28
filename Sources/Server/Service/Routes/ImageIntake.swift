import Glibc
import Images

/// Makes the picture that a model sees out of an image file, within bounds on time and memory.
struct ImageIntake: Sendable {
    let limits: ImageLimits
    /// Charged with what decoding takes before anything is allocated, until only that picture is left.
    let memory: MemoryBudget

    /// - Parameter isWanted: asked while decoding goes on, which ends where the client has gone.
    func picture(of file: ArraySlice<UInt8>, size: PictureSize, isWanted: () -> Bool) throws(Problem) -> RGBImage {
        let centre = CentrePreprocessor(width: size.width, height: size.height)
        let header = try Problem.refusing { () throws(ImageError) in
            let header = try ImageHeader.parse(file)
            try limits.check(header, for: centre)
            return header
        }
        let decoded = try Problem.refusing { () throws(MemoryExhausted) in
            try memory.holding(header.bytes(for: centre)) {
                Result { () throws(ImageError) in try decode(file, header, centre, isWanted) }
            }
        }
        return try Problem.refusing { () throws(ImageError) in try decoded.get() }
    }

    private func decode(
        _ file: ArraySlice<UInt8>, _ header: ImageHeader, _ centre: CentrePreprocessor, _ isWanted: () -> Bool
    ) throws(ImageError) -> RGBImage {
        let limit = limits.processorTime(of: header)
        // A thread computes no longer than time passes, and to ask what time it is takes no system call.
        let (earliest, end) = (Self.now(by: CLOCK_MONOTONIC) + limit, Self.now(by: CLOCK_THREAD_CPUTIME_ID) + limit)
        do throws(ImageError) {
            return try ImageDecoder.centre(file, header, centre, limits: limits) {
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
