/// What the stages hold at the moment of a scrape.
extension ComputeStages {
    func write(to text: inout PrometheusText) {
        writeQueue(to: &text)
        text.family("revq_picture_memory_bytes", .gauge, "Memory charged for pictures that are being decoded, and its bound.")
        text.sample("revq_picture_memory_bytes", [("kind", "used")], intake.memory.usedBytes)
        text.sample("revq_picture_memory_bytes", [("kind", "limit")], intake.memory.limitBytes)
        let counts = results.counts
        text.family("revq_shared_results_total", .counter, "Items answered by what another one was computed for, or had been.")
        text.sample("revq_shared_results_total", [("kind", "followed")], counts.followed)
        text.sample("revq_shared_results_total", [("kind", "remembered")], counts.remembered)
        writeModels(to: &text)
        writeTrials(to: &text)
    }

    private func writeQueue(to text: inout PrometheusText) {
        let loads = Operation.allCases.map { (operation: $0.rawValue, load: queue.load(of: $0)) }
        text.family("revq_queue_depth", .gauge, "Requests in progress.")
        for (operation, load) in loads { text.sample("revq_queue_depth", [("operation", operation)], load.slots) }
        text.family("revq_queue_oldest_age_seconds", .gauge, "How long the oldest request has been waiting for a batch.")
        for (operation, load) in loads {
            text.sample("revq_queue_oldest_age_seconds", [("operation", operation)], load.oldestWait / .seconds(1))
        }
        text.family("revq_stuck", .gauge, "Whether a thread has been at one thing for too long.")
        text.sample("revq_stuck", [], watchdog.stuck(at: .now) == nil ? 0 : 1)
    }

    private func writeModels(to text: inout PrometheusText) {
        let versions = registry.resident
        text.family("revq_model_info", .gauge, "The versions in memory; 1 for the one that new requests get.")
        for (version, role) in versions {
            let (facts, labels) = (version.facts, labels(of: version))
            text.sample(
                "revq_model_info", labels + [("fingerprint", facts.fingerprint), ("precision", facts.precision.rawValue)], role == .stable ? 1 : 0)
        }
        let figures = versions.compactMap { version, _ in
            version.health?.comparison.map { (labels: labels(of: version), now: $0.now, reference: $0.reference) }
        }
        text.family("revq_token_use_ratio", .gauge, "Share of codes chosen, over as many images as the checkpoint's own figure is from.")
        for (labels, now, _) in figures { text.sample("revq_token_use_ratio", labels, now.use) }
        text.family("revq_token_perplexity", .gauge, "2 to the entropy of the codes' use, over as many images.")
        for (labels, now, _) in figures { text.sample("revq_token_perplexity", labels, now.perplexity) }
        text.family("revq_token_drift_bits", .gauge, "How far a token's entropy is from what the checkpoint says.")
        for (labels, now, reference) in figures { text.sample("revq_token_drift_bits", labels, now.drift(from: reference)) }
    }

    private func writeTrials(to text: inout PrometheusText) {
        let trials = trials.figures.map { (labels: [("model", $0.model), ("version", "\($0.canary.version)")] as PrometheusText.Labels, $0.figures) }
        text.family("revq_canary_pictures", .gauge, "Pictures on which the last canary was compared with the stable version.")
        for (labels, figures) in trials { text.sample("revq_canary_pictures", labels, figures.pictures) }
        text.family("revq_canary_token_agreement_ratio", .gauge, "Share of tokens that are the same, of the same latents.")
        for (labels, figures) in trials { if let share = figures.meanAgreement { text.sample("revq_canary_token_agreement_ratio", labels, share) } }
        text.family("revq_canary_psnr_difference_decibels", .gauge, "Mean PSNR of the canary's pictures less that of the stable version's.")
        for (labels, figures) in trials {
            if let difference = figures.psnrDifference { text.sample("revq_canary_psnr_difference_decibels", labels, difference) }
        }
    }

    private func labels(of version: ServedModel) -> PrometheusText.Labels {
        [("model", version.name), ("version", "\(version.facts.version)")]
    }
}
