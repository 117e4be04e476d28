import Glibc

/// What an event loop lends its connections.
struct LoopContext: ~Copyable {
    let handler: any HTTPHandler
    let mailbox: LoopMailbox
    let counters: LoopCounters
    /// Every connection ends with its next answer, or when what is in work on it is answered.
    var isDraining = false
    /// The current `Date` header field, formatted once a second.
    private(set) var date: String
    private var dateSecond: Int

    init(handler: any HTTPHandler, mailbox: LoopMailbox, counters: LoopCounters) {
        self.handler = handler
        self.mailbox = mailbox
        self.counters = counters
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

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the form every `Date` header field has (RFC 9110 §5.6.7).
enum HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Parameter seconds: since 1970-01-01 00:00 UTC, not negative.
    static func format(secondsSince1970 seconds: Int) -> String {
        let (days, time) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = civil(days)
        let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits).joined(separator: ":")
        return "\(weekdays[(days + 4) % 7]), \(twoDigits(day)) \(months[month - 1]) \(year) \(clock) GMT"
    }

    /// The Gregorian date, counted in 400-year eras that begin on 1 March 0000, so that the leap day comes last.
    /// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    private static func civil(_ daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSince1970 + 719_468
        let (era, dayOfEra) = days.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
