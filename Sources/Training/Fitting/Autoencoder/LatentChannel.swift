/// What latents pass through on the way from encoder to decoder while these are trained.
enum LatentChannel: Sendable {
    /// They arrive whole.
    case open
    /// What quantisation at some rate would do to them, in a form that gradients pass through.
    case test(TestChannel)
    /// What is left of them in the tokens of a fitted quantiser. No gradient passes: it is for decoders.
    case tokens(TokenChannel)
}
