import Glibc

/// Folders: created, listed and removed.
package enum StoredFolder {
    /// Makes `path` and the folders above it where they are missing.
    package static func create(_ path: String) throws(FileError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw FileError(path: path, reason: "\(path) exists and is not a folder") }
            return
        }
        let parent = PathName.folder(of: path)
        if parent != path { try create(parent) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("create the folder", path) }
    }

    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in `path` in byte order, without "." and "..".
    package static func names(in path: String) throws(FileError) -> [String] {
        guard let folder = opendir(path) else { throw .system("list the folder", path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Gives `path` another name in its folder, in the place of what had that name.
    package static func move(_ path: String, to destination: String) throws(FileError) {
        remove(destination)
        guard rename(path, destination) == 0 else { throw .system("rename \(path) to", destination) }
    }

    /// Puts the names in `path` on the disk.
    package static func sync(_ path: String) throws(FileError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .system("open the folder", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .system("sync the folder", path) }
    }

    /// Removes `path` and all in it; what cannot be removed stays.
    package static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in (try? names(in: path)) ?? [] { remove("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
