package import Access

/// WedLive's backend, asked before a stream is published or played and told afterwards.
///
/// A hook that isn't there admits everybody, or tells nobody.
package struct BackendHooks: Sendable {
  package typealias Question = @Sendable (ClientAsk) async -> Refusal?
  package typealias Notice = @Sendable (ClientAsk) async -> Void

  package var onPublish: Question?
  package var onPublishDone: Notice?
  package var onPlay: Question?
  package var onPlayDone: Notice?

  package init(
    onPublish: Question? = nil, onPublishDone: Notice? = nil, onPlay: Question? = nil,
    onPlayDone: Notice? = nil
  ) {
    self.onPublish = onPublish
    self.onPublishDone = onPublishDone
    self.onPlay = onPlay
    self.onPlayDone = onPlayDone
  }
}
