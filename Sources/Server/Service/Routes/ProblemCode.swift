/// Every way in which the service refuses a request. The raw value is the stable `code` that clients may test for.
enum ProblemCode: String, CaseIterable, Sendable {
    case badRequest = "bad_request"
    case emptyBody = "empty_body"
    case malformedBody = "malformed_body"
    case malformedQuery = "malformed_query"
    case malformedHeader = "malformed_header"
    case unauthorized
    case forbidden
    case notFound = "not_found"
    case unknownModel = "unknown_model"
    case methodNotAllowed = "method_not_allowed"
    case notAcceptable = "not_acceptable"
    case requestTimeout = "request_timeout"
    case conflict
    case fingerprintNotResident = "fingerprint_not_resident"
    case bodyTooLarge = "body_too_large"
    case listTooLong = "list_too_long"
    case unsupportedMediaType = "unsupported_media_type"
    case invalidField = "invalid_field"
    case sizeNotServed = "size_not_served"
    case imageEmpty = "image_empty"
    case imageTruncated = "image_truncated"
    case imageCorrupt = "image_corrupt"
    case imageTooLarge = "image_too_large"
    case imageFormatUnsupported = "image_format_unsupported"
    case imageOutOfMemory = "image_out_of_memory"
    case tokenCountMismatch = "token_count_mismatch"
    case tokenOutOfRange = "token_out_of_range"
    case overloaded
    case quotaExceeded = "quota_exceeded"
    case noRoom = "no_room"
    case internalError = "internal_error"
    case engineFailed = "engine_failed"
    case notReady = "not_ready"
    case shuttingDown = "shutting_down"
    case stuck
    case deadlineExceeded = "deadline_exceeded"

    var status: Int {
        switch self {
        case .badRequest, .emptyBody, .malformedBody, .malformedQuery, .malformedHeader: 400
        case .unauthorized: 401
        case .forbidden: 403
        case .notFound, .unknownModel: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .requestTimeout: 408
        case .fingerprintNotResident, .conflict: 409
        case .bodyTooLarge, .listTooLong, .imageTooLarge: 413
        case .unsupportedMediaType, .imageFormatUnsupported: 415
        case .invalidField, .sizeNotServed, .imageEmpty, .imageTruncated, .imageCorrupt, .tokenCountMismatch, .tokenOutOfRange: 422
        case .overloaded, .quotaExceeded: 429
        case .internalError, .engineFailed: 500
        case .notReady, .shuttingDown, .stuck, .noRoom, .imageOutOfMemory: 503
        case .deadlineExceeded: 504
        }
    }

    /// Whether the same request may succeed later.
    var isRetryable: Bool {
        switch self {
        case .requestTimeout, .overloaded, .quotaExceeded, .noRoom, .imageOutOfMemory, .notReady, .shuttingDown, .stuck, .deadlineExceeded: true
        default: false
        }
    }

    var title: String {
        switch self {
        case .badRequest: "The request is not valid HTTP for this server"
        case .emptyBody: "The request has no body"
        case .malformedBody: "The body is not in its format"
        case .malformedQuery: "The query is not valid"
        case .malformedHeader: "A header field is not valid"
        case .unauthorized: "The request shows no key that is known"
        case .forbidden: "The key does not allow this"
        case .notFound: "There is no such resource"
        case .unknownModel: "There is no such model"
        case .methodNotAllowed: "The resource has no such method"
        case .notAcceptable: "No acceptable answer format"
        case .requestTimeout: "The request arrived too slowly"
        case .conflict: "What holds now does not allow this"
        case .fingerprintNotResident: "The tokens belong to a model version that is not loaded"
        case .bodyTooLarge: "The body is too large"
        case .listTooLong: "The list has too many members"
        case .unsupportedMediaType: "The body's format is not supported"
        case .invalidField: "A value is not what it must be"
        case .sizeNotServed: "There are no pictures of this size"
        case .imageEmpty: "The image has no bytes"
        case .imageTruncated: "The image is cut off"
        case .imageCorrupt: "The image is damaged"
        case .imageTooLarge: "The image is too large"
        case .imageFormatUnsupported: "The image's format is not supported"
        case .imageOutOfMemory: "There is not enough memory for the image"
        case .tokenCountMismatch: "The number of tokens is wrong"
        case .tokenOutOfRange: "A token is out of range"
        case .overloaded: "The server is busy"
        case .quotaExceeded: "The key has nothing left for now"
        case .noRoom: "The server's memory is in use"
        case .internalError: "The server failed"
        case .engineFailed: "The model failed on this input"
        case .notReady: "No model is loaded yet"
        case .shuttingDown: "The server is shutting down"
        case .stuck: "The server does not get on with its work"
        case .deadlineExceeded: "The answer took too long"
        }
    }
}
