/// A family whose autoencoders are a ``LatentDiffusionArchitecture``: only how its file says so is its own.
package protocol LatentDiffusionFamily: AutoencoderFamily {
    var architecture: LatentDiffusionArchitecture { get }
}

extension LatentDiffusionFamily {
    package var latentChannels: Int { architecture.latentChannels }
    package var factor: Int { architecture.factor }
    package var encoderMemory: HalfMemory { architecture.encoderMemory }
    package var decoderMemory: HalfMemory { architecture.decoderMemory }
    package var decoderTail: [String] { architecture.decoderTail }

    package func encoder(_ initializer: inout Initializer) -> AnyLayer { AnyLayer(LatentDiffusionEncoder(architecture, &initializer)) }
    package func decoder(_ initializer: inout Initializer) -> AnyLayer { AnyLayer(LatentDiffusionDecoder(architecture, &initializer)) }
}
