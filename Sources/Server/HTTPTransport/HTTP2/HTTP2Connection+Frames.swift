import CNghttp2

/// What nghttp2 tells, while it reads what the client says or writes what it is told.
extension HTTP2Connection {
    /// A frame of this size pays for its own head.
    private static let fullFrameBytes = 256

    /// - Returns: whether to go on.
    func didBegin(_ frame: nghttp2_frame_hd) -> Bool {
        switch nghttp2_frame_type(UInt32(frame.type)) {
        case NGHTTP2_DATA, NGHTTP2_HEADERS, NGHTTP2_CONTINUATION: true
        case NGHTTP2_RST_STREAM: spend(&resets, or: .resets)
        default: spend(&controlFrames, or: .controlFrames)
        }
    }

    private func spend(_ limit: inout RateLimit, or misbehaviour: HTTP2Misbehaviour) -> Bool {
        if limit.spend(at: now) { return true }
        self.misbehaviour = self.misbehaviour ?? misbehaviour
        return false
    }

    /// A head begins, or the trailer of a body.
    func didBeginFields(on id: Int32) {
        if let stream = streams[id] {
            stream.reader = HTTP2HeadReader(limits: limits)
        } else {
            streams[id] = HTTP2Stream(id, limits: limits, reservation: BodyReservation(from: budget), at: now)
        }
    }

    func didReceive(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, on id: Int32) {
        streams[id]?.reader.add(name: name, value: value)
    }

    func didReceive(_ data: UnsafeBufferPointer<UInt8>, on id: Int32) {
        guard let stream = streams[id] else { return session.consumeOfConnection(data.count) }
        stream.transferred(data.count)
        switch stream.phase {
        case .admission:
            stream.unconsumedBytes += data.count
            keep(data, of: stream)
        case .body:
            earnTime(data.count, for: stream)
            stream.unconsumedBytes += data.count
            guard stream.body.count + data.count <= stream.maximumBodyBytes else { return refuse(stream, .bodyTooLarge) }
            keep(data, of: stream)
            consumeAll(of: stream)
        case .discarding:
            earnTime(data.count, for: stream)
            discard(data.count, of: stream)
        case .refusing, .writing:
            discard(data.count, of: stream)
        case .head, .handling:
            preconditionFailure("data in phase \(stream.phase)")
        }
    }

    /// - Returns: whether to go on.
    func didReceive(_ frame: nghttp2_frame) -> Bool {
        let header = frame.hd
        if header.isOf(NGHTTP2_PING), header.has(NGHTTP2_FLAG_ACK), case .announced = farewell { sayFarewell() }
        guard header.isOf(NGHTTP2_HEADERS) || header.isOf(NGHTTP2_DATA), let stream = streams[header.stream_id] else { return true }
        let isEnd = header.has(NGHTTP2_FLAG_END_STREAM)
        if header.isOf(NGHTTP2_DATA), !isEnd {
            let count = header.length - frame.data.padlen
            if count == 0 { return spend(&controlFrames, or: .controlFrames) }
            if count < Self.fullFrameBytes { countSmallFrame(of: stream) }
        }
        if isEnd { stream.isWhole = true }
        if stream.phase == .head {
            admit(stream)
        } else if isEnd, stream.phase == .body {
            complete(stream)
        }
        return true
    }

    /// Small frames cost as much work as large ones: a body has a number of them to spare, however large it is.
    private func countSmallFrame(of stream: HTTP2Stream) {
        stream.smallFrames -= 1
        guard stream.smallFrames < 0, stream.phase == .body else { return }
        refuse(stream, HTTPError(.badRequest, "the body has too many frames of less than \(Self.fullFrameBytes) bytes"))
    }

    private func admit(_ stream: HTTP2Stream) {
        do throws(HTTPError) {
            let (head, expectsContinue) = try stream.reader.head(from: peer, isWhole: stream.isWhole)
            (stream.head, stream.expectsContinue) = (head, expectsContinue)
            stream.enter(.admission, until: now + limits.answerTimeout)
            events.append(.head(stream: stream.id, head))
        } catch {
            refuse(stream, error)
        }
    }

    func didSend(_ frame: nghttp2_frame) {
        let header = frame.hd
        switch nghttp2_frame_type(UInt32(header.type)) {
        case NGHTTP2_DATA, NGHTTP2_HEADERS:
            if header.has(NGHTTP2_FLAG_END_STREAM), let stream = streams[header.stream_id] { didAnswer(stream) }
        case NGHTTP2_RST_STREAM:
            let ours = [HTTP2Session.ErrorCode.none, .internalError].map(\.rawValue)
            // A client that makes the server reset its streams costs as much as one that does so itself.
            if !ours.contains(frame.rst_stream.error_code), !resets.spend(at: now) { sentTooMuch = .resets }
        case NGHTTP2_GOAWAY:
            didSendGoAway(frame.goaway.error_code)
        default: break
        }
    }

    /// nghttp2 ends a connection by itself where a frame makes no sense.
    private func didSendGoAway(_ code: UInt32) {
        guard code != HTTP2Session.ErrorCode.none.rawValue, misbehaviour == nil else { return }
        misbehaviour = code == HTTP2Session.ErrorCode.enhanceYourCalm.rawValue ? .controlFrames : .protocolError
        forgetStreams()
    }

    private func didAnswer(_ stream: HTTP2Stream) {
        stream.answer = []
        // Whoever takes an answer may say how much more it can take: HAProxy does so for each, however small.
        controlFrames.earn(2)
        guard !stream.isWhole else { return }
        stream.startTransfer(at: now)
        stream.enter(.discarding, until: now + limits.lingerTimeout)
    }

    func didClose(_ id: Int32, isMalformed: Bool) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        session.consumeOfConnection(stream.unconsumedBytes)
        if stream.isInWork { events.append(.gone(stream: id, isMalformed ? .bodyRefused : .disconnected)) }
        guard streams.isEmpty else { return }
        waitStart = now
        waitDeadline = now + limits.keepAliveTimeout
    }

    /// Copies some of a stream's answer.
    /// - Returns: how much, and whether that was the last of it; `nil` where there is no such stream.
    func takeAnswer(into buffer: UnsafeMutableRawBufferPointer, on id: Int32) -> (count: Int, isLast: Bool)? {
        guard let stream = streams[id] else { return nil }
        let rest = stream.answer[stream.answeredBytes...].prefix(buffer.count)
        buffer.copyBytes(from: rest)
        stream.answeredBytes += rest.count
        stream.transferred(rest.count)
        stream.enter(.writing, until: answerDeadline(of: stream))
        controlFrames.earn(Double(rest.count) / 1024)
        let isLast = !stream.isOpen && stream.answeredBytes == stream.answer.count
        stream.isDeferred = rest.isEmpty && !isLast
        return (rest.count, isLast)
    }
}
