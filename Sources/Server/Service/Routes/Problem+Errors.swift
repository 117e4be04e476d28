import HTTPTransport
import Images

/// An error that has an answer.
package protocol Refusal: Error {
    var problem: Problem { get }
}

extension Problem {
    /// Calls `body`, and throws its error as the answer it has.
    static func refusing<Result, Failure: Refusal>(_ body: () throws(Failure) -> Result) throws(Problem) -> Result {
        do throws(Failure) {
            return try body()
        } catch {
            throw error.problem
        }
    }
}

// The one place where the errors of all parts become answers.

extension PayloadError: Refusal {
    var problem: Problem {
        switch self {
        case .malformed(let reason): Problem(.malformedBody, reason)
        case .invalid(let reason): Problem(.invalidField, reason)
        case .tokenCount(let reason): Problem(.tokenCountMismatch, reason)
        case .tokenRange(let reason): Problem(.tokenOutOfRange, reason)
        case .tooMany(let reason): Problem(.listTooLong, reason)
        case .unrecognized(let expected): Problem(.unsupportedMediaType, reason, headers: ["Accept": expected.joined(separator: ", ")])
        }
    }
}

extension ModelError: Refusal {
    var problem: Problem {
        switch self {
        case .notReady: return Problem(.notReady, "no checkpoint has been loaded yet", retryAfter: .seconds(1))
        case .ambiguous(let served):
            return Problem(.unknownModel, "several models are served; name one with ?model=: \(served.joined(separator: ", "))")
        case .unknown(let name, let served):
            return Problem(.unknownModel, "there is no model \"\(name.shortened)\"; served are \(served.joined(separator: ", "))")
        case .unknownVersion(let version, let name, let known):
            let known = known.joined(separator: ", ")
            return Problem(.unknownModel, "the model \"\(name.shortened)\" has no version \"\(version.shortened)\"; there are \(known)")
        case .conflict(let reason): return Problem(.conflict, reason)
        case .notResident(let fingerprint, let resident):
            let known = resident.map(\.shortened).joined(separator: ", ")
            return Problem(.fingerprintNotResident, "the tokens' fingerprint is \(fingerprint.shortened); resident are \(known)")
        }
    }
}

extension SizeRefusal: Refusal {
    var problem: Problem { Problem(.sizeNotServed, reason) }
}

extension ImageError: Refusal {
    package var problem: Problem {
        let code: ProblemCode =
            switch self {
            case .empty: .imageEmpty
            case .unsupportedFormat: .imageFormatUnsupported
            case .truncated: .imageTruncated
            case .corrupt: .imageCorrupt
            case .tooLarge, .stopped: .imageTooLarge
            case .outOfMemory: .imageOutOfMemory
            }
        return Problem(
            code, "\(self)", retryAfter: code == .imageOutOfMemory ? .seconds(1) : nil,
            headers: code == .imageFormatUnsupported ? ["Accept": "\(MediaType.jpeg), \(MediaType.png)"] : [:])
    }
}

extension MemoryExhausted: Refusal {
    var problem: Problem {
        guard isTemporary else {
            return Problem(.imageTooLarge, "decoding the image takes \(requestedBytes) bytes; at most \(limitBytes) are given to all")
        }
        return Problem(.noRoom, "decoding the image takes \(requestedBytes) bytes, which are in use by others", retryAfter: .seconds(1))
    }
}

extension Overload: Refusal {
    var problem: Problem {
        switch reason {
        case .queueFull: Problem(.overloaded, "as many requests are in progress as the server accepts", retryAfter: retryAfter)
        case .tooLate(let wait):
            Problem(.overloaded, "the request would be served in about \(wait), later than its client waits for it", retryAfter: retryAfter)
        }
    }
}

extension EngineFailure: Refusal {
    var problem: Problem { Problem(.engineFailed, "\(self)") }
}

/// What the transport refuses by itself.
extension HTTPError: Refusal {
    package var problem: Problem {
        let code: ProblemCode =
            switch status {
            case .requestTimeout: .requestTimeout
            case .contentTooLarge: .bodyTooLarge
            case .internalServerError: .internalError
            case .serviceUnavailable: .noRoom
            case .gatewayTimeout: .deadlineExceeded
            default: .badRequest
            }
        return Problem(code, reason)
    }
}
