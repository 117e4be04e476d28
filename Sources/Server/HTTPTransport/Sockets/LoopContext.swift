import Glibc

/// What an event loop lends its connections.
struct LoopContext: ~Copyable {
    let handler: any HTTPHandler
    let mailbox: LoopMailbox
    /// The current `Date` header field, formatted once a second.
    private(set) var date: String
    private var dateSecond: Int

    init(handler: any HTTPHandler, mailbox: LoopMailbox) {
        self.handler = handler
        self.mailbox = mailbox
        dateSecond = time(nil)
        date = HTTPDate.format(secondsSince1970: dateSecond)
    }

    mutating func updateDate() {
        let second = time(nil)
        if second != dateSecond {
            dateSecond = second
            date = HTTPDate.format(secondsSince1970: second)
        }
    }
}
