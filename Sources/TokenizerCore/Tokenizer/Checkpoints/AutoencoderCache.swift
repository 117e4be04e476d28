import Compute
import Files
import Networks
import Synchronization

/// Autoencoders by the hash of their files and their precision, so that all checkpoints on one share its mapped and packed weights.
final class AutoencoderCache: Sendable {
    static let shared = AutoencoderCache()

    /// Checkpoints replace each other one by one, so the last few are all that can be shared.
    private static let capacity = 4
    private struct Key: Equatable {
        let files: CheckpointManifest.VAE
        let precision: Precision
    }

    private let recent = Mutex<[(key: Key, autoencoder: AutoencoderDC)]>([])

    func autoencoder(
        _ files: CheckpointManifest.VAE, _ precision: Precision, load: () throws(FileError) -> AutoencoderDC
    ) throws(FileError) -> AutoencoderDC {
        let key = Key(files: files, precision: precision)
        let known = recent.withLock { recent in recent.first { $0.key == key }?.autoencoder }
        if let known { return known }
        let loaded = try load()
        recent.withLock { recent in
            recent.insert((key, loaded), at: 0)
            recent = Array(recent.prefix(Self.capacity))
        }
        return loaded
    }
}
