import Compute
import Networks

/// Which weights of an autoencoder a training moves.
package enum TrainedPart: String, Codable, Sendable, CaseIterable {
    /// Encoder and decoder; behind tokens the codes follow, see ``RunningCodes``.
    case all
    /// The decoder stays, and behind tokens the codes, too: what tokens mean is settled, and the encoder learns to choose among them.
    case encoder
    /// The encoder stays as it starts, with a patch code the principal components: no time is spent on it, and what tokens mean is settled
    /// before training.
    case decoder
    /// Of the decoder only what comes last, see ``AutoencoderFamily/decoderTail``.
    case tail

    var movesEncoder: Bool { self == .all || self == .encoder }
    var movesWholeDecoder: Bool { self == .all || self == .decoder }

    /// Whether each tensor of encoder and decoder is trained, in visiting order.
    func moves(in model: Autoencoder) -> (encoder: [Bool], decoder: [Bool]) {
        let tail = model.configuration.family.decoderTail
        return (
            model.encoder.tensors.map { _ in movesEncoder },
            model.decoder.tensors.map { tensor in
                switch self {
                case .all, .decoder: true
                case .encoder: false
                case .tail: tail.contains { tensor.path.hasPrefix($0) }
                }
            }
        )
    }
}

extension Parameterized {
    /// Sets tensors to zero, chosen by their place in visiting order.
    mutating func clear(where isCleared: (Int) -> Bool) {
        var index = 0
        visit(.root) { _, _, tensor in
            if isCleared(index) { tensor = Tensor(zeros: tensor.shape) }
            index += 1
        }
    }
}
