import Access
import Foundation
package import HLS
package import Media
import HTTPServer

/// What one node tells another of a stream: all that viewers can fetch of it but the segments'
/// bytes.
///
/// JSON on the wire. An origin answers `GET /cluster/live/{wedding}/{camera}` with it; an edge
/// makes a snapshot of it.
package struct StreamFeed: Codable, Sendable, Equatable {
  /// One rendition.
  package struct Rendition: Codable, Sendable, Equatable {
    package var name: String
    /// Who may have it: bit n is the viewers' plan n.
    package var viewers: UInt32
    package var nextSequence: Int
    package var targetDuration: Int
    /// How much media the playlist lists when there is so much, in milliseconds; nil from nodes
    /// that don't tell.
    package var windowMilliseconds: Int64?
    /// Nil from nodes that don't tell.
    package var bitrate: Int?
    /// The playlist, without anybody's token.
    package var playlist: String
    /// Fetchable segments, the oldest first.
    package var segments: [String]
  }

  /// A rendition whose first segment is still being made.
  package struct Coming: Codable, Sendable, Equatable {
    package var name: String
    package var viewers: UInt32
  }

  package var wedding: String
  package var camera: String
  /// Names the process that tells; its versions begin anew with each.
  package var launch: String
  /// The number of the teller's lease in its cluster; nil where it has none.
  package var epoch: Int64?
  package var version: UInt64
  package var isOver: Bool
  package var isProgram: Bool
  /// For viewers of each plan; empty where there is nothing for them.
  package var masters: [[MasterPlaylist.Variant]]
  package var programMasters: [[MasterPlaylist.Variant]]
  package var renditions: [Rendition]
  package var coming: [Coming]

  /// The stream; nil for names that no stream can have.
  package var key: StreamKey? { StreamKey(wedding: wedding, camera: camera) }

  /// What there is of a stream at one moment.
  package init(_ snapshot: StreamSnapshot, launch: String, epoch: Int64? = nil) {
    wedding = snapshot.key.wedding
    camera = snapshot.key.camera
    self.launch = launch
    self.epoch = epoch
    version = snapshot.version
    isOver = snapshot.isOver
    isProgram = snapshot.isProgram
    masters = snapshot.masters.map { $0?.variants ?? [] }
    programMasters = snapshot.programMasters.map { $0?.variants ?? [] }
    renditions = snapshot.renditions.map { rendition in
      Rendition(
        name: String(decoding: rendition.name, as: UTF8.self), viewers: rendition.viewers,
        nextSequence: rendition.nextSequence, targetDuration: rendition.targetDuration,
        windowMilliseconds: rendition.window.milliseconds, bitrate: rendition.bitrate,
        playlist: String(decoding: rendition.playlist.text.plain, as: UTF8.self),
        segments: rendition.segments.map { String(decoding: $0.name, as: UTF8.self) })
    }
    coming = snapshot.coming.map {
      Coming(name: String(decoding: $0.name, as: UTF8.self), viewers: $0.viewers)
    }
  }

  /// Reads one; nil where it is none, or names what no stream can have.
  package init?(json bytes: [UInt8]) {
    guard let feed = try? JSONDecoder().decode(StreamFeed.self, from: Data(bytes)),
      feed.key != nil, feed.renditions.count <= 64, feed.renditions.allSatisfy(\.isSound),
      feed.coming.count <= 64,
      feed.coming.allSatisfy({ StreamKey(wedding: "w", camera: $0.name) != nil }),
      [feed.masters, feed.programMasters].allSatisfy({ masters in
        masters.count <= 32 && masters.allSatisfy { $0.count <= 64 }
      })
    else { return nil }
    self = feed
  }

  package var json: [UInt8] { (try? JSONEncoder().encode(self)).map { Array($0) } ?? [] }
}

extension StreamFeed.Rendition {
  /// How much media the playlist lists when there is so much: a day at most; 0 where that isn't
  /// known.
  package var window: MediaTime {
    MediaTime(milliseconds: min(max(0, windowMilliseconds ?? 0), 86_400_000))
  }

  /// Whether its numbers and names are such as a stream can have.
  fileprivate var isSound: Bool {
    StreamKey(wedding: "w", camera: name) != nil && (0..<1 << 53).contains(nextSequence)
      && (1...3_600).contains(targetDuration) && segments.count <= 1 << 17
      && segments.allSatisfy { StreamKey(wedding: "w", camera: $0) != nil }
  }
}

extension StreamFeed {
  /// What viewers get of it from a node that has no bytes of its own.
  ///
  /// - Parameters:
  ///   - version: among that node's snapshots.
  ///   - interests: to be told of requests for each rendition's playlist, by its name.
  ///   - anyInterest: to be told of any request.
  ///   - comingInterest: to be told of requests for renditions that have yet to begin.
  ///   - before: what was told last, and what was made of it: what says nothing new isn't made
  ///     anew.
  /// - Returns: with segments that are elsewhere.
  package func snapshot(
    version: UInt64, interests: [String: RenditionInterest], anyInterest: RenditionInterest,
    comingInterest: ComingInterest? = nil,
    after before: (feed: StreamFeed, snapshot: StreamSnapshot)? = nil
  ) -> StreamSnapshot? {
    guard let key else { return nil }
    return StreamSnapshot(
      key: key, version: version, isOver: isOver, isProgram: isProgram,
      masters: masters.enumerated().map { index, variants in
        let known = before.flatMap { $0.snapshot.masters.dropFirst(index).first ?? nil }
        return master(variants, "m\(index)-", known)
      },
      programMasters: programMasters.enumerated().map { index, variants in
        let known = before.flatMap { $0.snapshot.programMasters.dropFirst(index).first ?? nil }
        return master(variants, "g\(index)-", known)
      },
      renditions: renditions.map { rendition in
        if let before, before.feed.renditions.contains(rendition),
          let known = before.snapshot.renditions.first(where: {
            $0.name == Array(rendition.name.utf8)
          })
        {
          return known
        }
        return snapshot(of: rendition, interests[rendition.name])
      }, coming: coming.map { ComingRendition(name: Array($0.name.utf8), viewers: $0.viewers) },
      interest: anyInterest, comingInterest: comingInterest, launch: launch, epoch: epoch)
  }

  private func master(
    _ variants: [MasterPlaylist.Variant], _ kind: String, _ known: MasterResponse?
  ) -> MasterResponse? {
    guard !variants.isEmpty else { return nil }
    if let known, known.variants == variants { return known }
    return MasterResponse(
      playlist: PlaylistResponse(
        MasterPlaylist(variants).text, maximumAge: 2, wedding: wedding,
        tag: "\(kind)\(version)-\(launch)"),
      variants: variants)
  }

  private func snapshot(
    of rendition: Rendition, _ interest: RenditionInterest?
  ) -> RenditionSnapshot {
    RenditionSnapshot(
      name: Array(rendition.name.utf8), viewers: rendition.viewers, interest: interest,
      playlist: PlaylistResponse(
        PlaylistText(received: Array(rendition.playlist.utf8)), maximumAge: 1,
        staleSeconds: max(1, rendition.targetDuration / 2), wedding: wedding,
        tag: "p\(version)-\(launch)"),
      nextSequence: rendition.nextSequence, targetDuration: rendition.targetDuration,
      window: rendition.window, bitrate: min(max(0, rendition.bitrate ?? 0), 1_000_000_000),
      segments: rendition.segments.compactMap { name in
        let bytes = Array(name.utf8)
        return RenditionSnapshot.sequence(bytes.span).map {
          SegmentResponse(sequence: $0, name: bytes, byteCount: 0, source: .elsewhere)
        }
      })
  }
}
