import CNghttp2

/// nghttp2's state of one connection: frames, HPACK, flow control, and the rules of RFC 9113 about their order. What it finds out it tells
/// its ``HTTP2Connection`` (`HTTP2Session+Callbacks.swift`); whatever it is told to say waits until ``takeOutput(into:)`` asks for it.
final class HTTP2Session {
    /// Why a connection cannot go on.
    enum Fault {
        /// A callback has refused to go on.
        case refused
        case tooManyContinuations
        case flooded
        /// Anything else that makes no sense.
        case malformed
    }

    /// The codes of RFC 9113 §7 that this server says by itself.
    enum ErrorCode: UInt32 {
        case none = 0
        case protocolError = 1
        case internalError = 2
        case cancel = 8
        case enhanceYourCalm = 11
    }

    private let session: OpaquePointer

    /// - Parameter connection: must outlive this.
    init(for connection: HTTP2Connection, limits: HTTPLimits) {
        var session: OpaquePointer?
        let options = HTTP2Options(limits.http2)
        let status = nghttp2_session_server_new2(
            &session, Self.callbacks.pointer, Unmanaged.passUnretained(connection).toOpaque(), options.pointer)
        guard status == 0, let session else { preconditionFailure("no memory for an HTTP/2 session") }
        self.session = session
        announce(limits)
    }

    deinit {
        nghttp2_session_del(session)
    }

    private func announce(_ limits: HTTPLimits) {
        let entries = [
            (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.http2.concurrentStreams),
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.http2.streamWindowBytes),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headBytes),
        ].map { nghttp2_settings_entry(settings_id: Int32($0.0.rawValue), value: UInt32($0.1)) }
        check(nghttp2_submit_settings(session, Self.noFlags, entries, entries.count))
        check(nghttp2_session_set_local_window_size(session, Self.noFlags, 0, Int32(limits.http2.connectionWindowBytes)))
    }

    private static let noFlags = UInt8(NGHTTP2_FLAG_NONE.rawValue)

    // MARK: Input

    /// Begins as if the client had asked for stream 1 already.
    /// - Parameter settings: as ``HTTP2Upgrade/settings(_:)`` has them.
    /// - Returns: false where the settings make no sense.
    func upgrade(_ settings: [UInt8], isHead: Bool) -> Bool {
        nghttp2_session_upgrade2(session, settings, settings.count, isHead ? 1 : 0, nil) == 0
    }

    func receive(_ bytes: Span<UInt8>) -> Fault? {
        let count = bytes.withUnsafeBufferPointer { nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) }
        guard count < 0 else { return nil }
        switch nghttp2_error(rawValue: Int32(count)) {
        case NGHTTP2_ERR_CALLBACK_FAILURE: return .refused
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: return .tooManyContinuations
        case NGHTTP2_ERR_FLOODED: return .flooded
        default: return .malformed
        }
    }

    /// Lets the client send as much again as has been used.
    func consume(_ count: Int, of stream: Int32) {
        check(nghttp2_session_consume(session, stream, count))
    }

    /// The same of the connection alone: the stream gets no more.
    func consumeOfConnection(_ count: Int) {
        check(nghttp2_session_consume_connection(session, count))
    }

    // MARK: Output

    /// The answer on a stream, whose body ``HTTP2Connection/takeAnswer(into:on:)`` gives.
    func answer(_ fields: HTTP2ResponseFields, on stream: Int32, hasBody: Bool) {
        var body = nghttp2_data_provider()
        body.read_callback = Self.readAnswer
        fields.withFields { pointer, count in
            withUnsafePointer(to: &body) { body in
                // It fails where the client has reset the stream and does not wait for it.
                _ = nghttp2_submit_response(session, stream, pointer, count, hasBody ? body : nil)
            }
        }
    }

    /// There is more of an answer that had to wait for it.
    func resume(_ stream: Int32) {
        // It fails where the client has reset the stream.
        _ = nghttp2_session_resume_data(session, stream)
    }

    /// Asks for the body of a request.
    func goOn(_ stream: Int32) {
        HTTP2ResponseFields.goOn.withFields { pointer, count in
            _ = nghttp2_submit_headers(session, Self.noFlags, stream, nil, pointer, count, nil)
        }
    }

    func reset(_ stream: Int32, _ code: ErrorCode) {
        check(nghttp2_submit_rst_stream(session, Self.noFlags, stream, code.rawValue))
    }

    /// Says that the connection is about to end, and asks the client to say that it has heard.
    func announceEnd() {
        check(nghttp2_submit_shutdown_notice(session))
        check(nghttp2_submit_ping(session, Self.noFlags, nil))
    }

    /// Takes no further stream from now on.
    func end() {
        let last = nghttp2_session_get_last_proc_stream_id(session)
        check(nghttp2_submit_goaway(session, Self.noFlags, last, ErrorCode.none.rawValue, nil, 0))
    }

    /// Says nothing but why.
    func terminate(_ code: ErrorCode) {
        check(nghttp2_session_terminate_session(session, code.rawValue))
    }

    /// Appends the next frame to what is to be written.
    /// - Returns: false where there is none.
    func takeOutput(into bytes: inout [UInt8]) -> Bool {
        var pointer: UnsafePointer<UInt8>?
        let count = nghttp2_session_mem_send(session, &pointer)
        guard count > 0, let pointer else { return false }
        bytes.append(contentsOf: UnsafeBufferPointer(start: pointer, count: count))
        return true
    }

    /// Whether anything can still be said or heard.
    var isOver: Bool {
        nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    }

    /// Whether the client has made room for more of a stream's answer.
    func hasRoom(for stream: Int32) -> Bool {
        nghttp2_session_get_stream_remote_window_size(session, stream) > 0 && nghttp2_session_get_remote_window_size(session) > 0
    }

    /// All that can fail here is memory, or a call that this file gets wrong.
    private func check(_ status: Int32) {
        precondition(status == 0, "nghttp2: \(String(cString: nghttp2_strerror(status)))")
    }
}

/// What nghttp2 is told when a session begins.
private struct HTTP2Options: ~Copyable {
    let pointer: OpaquePointer

    init(_ limits: HTTP2Limits) {
        var option: OpaquePointer?
        guard nghttp2_option_new(&option) == 0, let option else { preconditionFailure("no memory for the options of HTTP/2") }
        pointer = option
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_option_set_max_settings(option, limits.settings)
        nghttp2_option_set_max_continuations(option, limits.continuations)
        // Resets are counted by HTTP2Connection, which has a clock that tests can set.
        nghttp2_option_set_stream_reset_rate_limit(option, .max, .max)
    }

    deinit {
        nghttp2_option_del(pointer)
    }
}
