import Compute
import Files
import Images
import Jobs
import Networks
import TokenizerCore

/// What a run leaves behind: the last weights, and the best where these are others.
extension AutoencoderRun {
    /// - Parameters:
    ///   - codebooks: what became of the codes; nil where they are those that were given.
    ///   - step: the last one.
    func publish(
        _ last: Autoencoder, _ codebooks: Tensor?, _ best: BestAutoencoder?, _ step: Int, _ parts: PictureParts
    ) throws(FileError) {
        if let best, best.step < step {
            try publish(best, parts)
            let name = "\(directory.path)/\(Self.resultName)\(Self.bestEnding)"
            console.say("the best on the choosing part was step \(best.step), \(said(best)): it is in \(name)")
        }
        // Last of all: where it is, the run is finished.
        try publish(last, codebooks, parts, ending: "")
    }

    func publish(_ best: BestAutoencoder, _ parts: PictureParts) throws(FileError) {
        try publish(best.model, best.codebooks, parts, ending: Self.bestEnding)
    }

    /// How good it was.
    func said(_ measured: BestAutoencoder) -> String {
        options.training.loss == nil ? "\(Figure.text(Double(measured.score))) dB" : "loss \(Figure.text(-Double(measured.score)))"
    }

    /// Whether an earlier call has published the result; then it says so.
    func isFinished() throws(FileError) -> Bool {
        let present = try StoredFolder.names(in: directory.path)
        guard present.contains(Self.resultName), fit == nil || present.contains(Self.fitName) else { return false }
        let psnr =
            try StoredFile.exists(directory.logPath) ? TrainingLog.entries(directory.logPath).compactMap { $0.values["held_out_psnr"] }.last : nil
        console.say("finished before" + (psnr.map { ": held-out PSNR \(Figure.text($0)) dB" } ?? ""))
        return true
    }

    private func publish(_ model: Autoencoder, _ codebooks: Tensor?, _ parts: PictureParts, ending: String) throws(FileError) {
        let (result, fitName) = ("\(directory.path)/\(Self.resultName)\(ending)", Self.fitName + ending)
        let present = try StoredFolder.names(in: directory.path)
        if !present.contains(Self.resultName + ending) { try publish(model, parts, to: result) }
        if let fit, !present.contains(fitName) {
            let own = codebooks.map { fit.with(codebooks: $0) } ?? fit
            try own.drawn(by: result).publish(to: "\(directory.path)/\(fitName)")
        }
    }

    private func publish(_ model: Autoencoder, _ parts: PictureParts, to result: String) throws(FileError) {
        let staged = try StagedFolder(for: result)
        try StoredFile.write(JSONFile.bytes(options.architecture), to: "\(staged.path)/\(Autoencoder.configurationName)")
        // Half precision halves the file; what is fitted to this autoencoder reads the same rounded weights that are served. But what is
        // fitted already to an encoder that stays needs it as it is.
        let isSettled = options.start != nil && !options.training.part.movesEncoder
        let precision: SafetensorsWriter.Precision = !isSettled || model.encoder.isHalfPrecise ? .float16 : .float32
        try model.save(to: "\(staged.path)/\(Autoencoder.weightsName)", precision: precision)
        try parts.write(to: staged.path)
        try staged.publish()
    }
}

extension Parameterized {
    /// Whether half precision holds every weight exactly.
    fileprivate var isHalfPrecise: Bool {
        tensors.allSatisfy { $0.tensor.values.allSatisfy { Float(Float16($0)) == $0 } }
    }
}
