import Dispatch
import Files
import Pictures

/// As many threads as compute at the same time; others read meanwhile.
final class Cores: Sendable {
    private let free: DispatchSemaphore

    init(_ count: Int) {
        free = DispatchSemaphore(value: count)
    }

    func hold<R>(_ body: () -> R) -> R {
        free.wait()
        defer { free.signal() }
        return body()
    }
}

/// What came of one picture.
struct PictureOutcome: Sendable {
    let number: Int
    /// Of its file; nil where that could not be read.
    let digest: FileDigest?
    let answer: ContentCache.Answer
    /// The journal's failure, which ends the run.
    let failure: FileError?

    /// Reads, decodes and encodes a picture, or finds what it became before.
    init(_ number: Int, _ source: ImageSource, _ encoder: PictureEncoder, _ cache: ContentCache, _ cores: Cores) {
        self.number = number
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try source.bytes(at: number)
        } catch {
            (digest, answer, failure) = (nil, .failure(PictureEncoder.Problem(description: error.reason)), nil)
            return
        }
        let digest = cores.hold { FileDigest(contents: bytes) }
        self.digest = digest
        do throws(FileError) {
            answer = try cache.answer(ContentKey(digest)) {
                cores.hold { ContentCache.Answer { () throws(PictureEncoder.Problem) in try encoder.encode(bytes) } }
            }
            failure = nil
        } catch {
            (answer, failure) = (.failure(PictureEncoder.Problem(description: error.reason)), error)
        }
    }
}
