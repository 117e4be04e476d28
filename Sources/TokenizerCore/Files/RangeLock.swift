import Glibc

/// An exclusive hold on some numbers of a file, which ends with this value or with its process, however that ends: several processes share
/// the work behind a file, and none does what another is at.
///
/// The numbers stand for whatever the caller counts; nothing is read or written.
package final class RangeLock: Sendable {
    private let descriptor: Int32

    // Of this open file and not of the process, unlike F_SETLK, so that two of one process are two, and closing another does not let go.
    // <bits/fcntl-linux.h>, which Swift does not import.
    private static let setOwnLock: Int32 = 37, getOwnLock: Int32 = 36

    /// Locks `range` of the file at `path`, made where it is missing; nil while somebody holds a part of it.
    /// - Precondition: the range is not empty.
    package init?(_ range: Range<Int>, of path: String) throws(FileError) {
        precondition(!range.isEmpty && range.lowerBound >= 0, "\(range) cannot be locked")
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system("open", path) }
        var region = Self.region(range)
        while fcntl(descriptor, Self.setOwnLock, &region) != 0 {
            let code = errno
            if code == EINTR { continue }
            if code == EAGAIN || code == EACCES { return nil }
            throw .system("lock", path, code: code)
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Whether nobody else holds any number of the file.
    package var isAlone: Bool {
        var region = Self.region(0..<0)
        return fcntl(descriptor, Self.getOwnLock, &region) == 0 && region.l_type == Int16(F_UNLCK)
    }

    /// Of all numbers where the range is empty.
    private static func region(_ range: Range<Int>) -> flock {
        var region = flock()
        region.l_type = Int16(F_WRLCK)
        region.l_whence = Int16(SEEK_SET)
        (region.l_start, region.l_len) = (off_t(range.lowerBound), off_t(range.count))
        return region
    }
}
