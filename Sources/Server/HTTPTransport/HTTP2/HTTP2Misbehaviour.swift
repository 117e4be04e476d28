/// What an HTTP/2 connection is ended for, with `ENHANCE_YOUR_CALM` or an error that says more.
package enum HTTP2Misbehaviour: String, Sendable, CaseIterable {
    /// Streams opened only to be reset, or made such that the server must reset them.
    case resets
    /// More SETTINGS, PING, PRIORITY, WINDOW_UPDATE or empty frames than serve any purpose.
    case controlFrames = "control_frames"
    /// A head in too many pieces, or one that does not end.
    case headers
    /// What no client says that speaks HTTP/2.
    case protocolError = "protocol_error"
}
