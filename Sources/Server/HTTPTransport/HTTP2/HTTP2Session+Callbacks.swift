import CNghttp2

/// What nghttp2 calls: each call goes to the connection that the session is for.
extension HTTP2Session {
    /// The same for all sessions, and never freed.
    ///
    /// `@unchecked Sendable`: nghttp2 only reads them once they are set.
    struct Callbacks: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    static let callbacks: Callbacks = {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { preconditionFailure("no memory for callbacks") }
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            answer(connection(user).didBegin(header!.pointee))
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            connection(user).didBeginFields(on: frame!.pointee.hd.stream_id)
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, frame, name, nameCount, value, valueCount, _, user in
            connection(user).didReceive(
                name: UnsafeBufferPointer(start: name, count: nameCount), value: UnsafeBufferPointer(start: value, count: valueCount),
                on: frame!.pointee.hd.stream_id)
            return 0
        }
        // By itself nghttp2 passes over a field with a character that it cannot have: what a proxy in front reads otherwise is refused.
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, _, _, _, _, _, _ in
            NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, data, count, user in
            connection(user).didReceive(UnsafeBufferPointer(start: data, count: count), on: stream)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            answer(connection(user).didReceive(frame!.pointee))
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            connection(user).didSend(frame!.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            connection(user).didClose(stream, isMalformed: code == ErrorCode.protocolError.rawValue)
            return 0
        }
        return Callbacks(pointer: callbacks)
    }()

    static let readAnswer: nghttp2_data_source_read_callback = { _, stream, buffer, count, flags, _, user in
        let room = UnsafeMutableRawBufferPointer(start: buffer, count: count)
        guard let (count, isLast) = connection(user).takeAnswer(into: room, on: stream) else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        if count == 0, !isLast { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        if isLast { flags!.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return count
    }

    private static func connection(_ user: UnsafeMutableRawPointer?) -> HTTP2Connection {
        Unmanaged.fromOpaque(user!).takeUnretainedValue()
    }

    /// - Parameter goesOn: false ends the session where it is.
    private static func answer(_ goesOn: Bool) -> CInt {
        goesOn ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    }
}

/// What is seen of frames beside their contents.
extension nghttp2_frame_hd {
    func isOf(_ kind: nghttp2_frame_type) -> Bool { UInt32(type) == kind.rawValue }

    func has(_ flag: nghttp2_flag) -> Bool { UInt32(flags) & flag.rawValue != 0 }
}
