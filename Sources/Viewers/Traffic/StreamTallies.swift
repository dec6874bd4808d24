import HTTPServer
import Telemetry

/// The counts that one loop adds to as it sends a stream, in the order of the stream's renditions.
final class StreamTallies {
  private let share: StreamTraffic.Share
  private var names: [[UInt8]] = []
  private var viewers: [Tally] = []
  private var nodes: [Tally] = []
  /// Of what is about all renditions.
  private let viewersOfAll: Tally
  private let nodesOfAll: Tally

  init(_ share: StreamTraffic.Share) {
    self.share = share
    viewersOfAll = share.tally(SentBytes.Line(.viewers))
    nodesOfAll = share.tally(SentBytes.Line(.nodes))
  }

  /// The stream has a new snapshot.
  func update(_ renditions: [RenditionSnapshot]) {
    share.sample()
    guard
      names.count != renditions.count || zip(names, renditions).contains(where: { $0 != $1.name })
    else { return }
    names = renditions.map(\.name)
    let texts = names.map { String(decoding: $0, as: UTF8.self) }
    viewers = texts.map { share.tally(SentBytes.Line(.viewers, $0)) }
    nodes = texts.map { share.tally(SentBytes.Line(.nodes, $0)) }
  }

  /// What a viewer's answer is counted by.
  ///
  /// - Parameter rendition: its place in the snapshot; nil for all of them.
  /// - Returns: that of all of them where there is no such rendition.
  func viewer(of rendition: Int?) -> Tally {
    guard let rendition, rendition < viewers.count else { return viewersOfAll }
    return viewers[rendition]
  }

  /// What another node's answer is counted by.
  func node(of rendition: Int?) -> Tally {
    guard let rendition, rendition < nodes.count else { return nodesOfAll }
    return nodes[rendition]
  }
}
