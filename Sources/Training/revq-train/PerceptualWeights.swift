import ArgumentParser
import Files
import Laboratory

/// Weights of published classifiers, for figures that are defined by them.
struct PerceptualWeights: ParsableArguments {
    @Option(help: "Weights of the Inception network (safetensors, names of pytorch-fid), for rFID and KID.")
    var inception: String?
    @Option(help: "Weights of LPIPS on AlexNet (safetensors, names of the lpips package).")
    var lpips: String?

    func networks(imageSize: Int) throws(FileError) -> PerceptualNetworks {
        try PerceptualNetworks(inception: inception, lpips: lpips, imageSize: imageSize)
    }

    var digests: [FileDigest] {
        get throws(FileError) { try [inception, lpips].compactMap { $0 }.map { path throws(FileError) in try FileDigest(of: path) } }
    }

    var facts: [Report.Fact] {
        [("rFID, KID", inception), ("LPIPS", lpips)].map { Report.Fact($0, $1 ?? "not measured: no weights were given") }
    }
}
