/// Why a part of a recording ended.
package enum PartEnd: Sendable, Equatable, CustomStringConvertible {
  /// The publisher has gone.
  case publisherLeft(String)
  /// Somebody has stopped the recording.
  case stopped
  /// It was as large as a part may be; the next one goes on from there.
  case split
  /// The encoder has changed how it encodes; the next part goes on from there.
  case otherSettings
  /// The disk was too slow, and something is missing between this part and the next.
  case slowDisk
  /// Nothing can be written, in the system's words.
  case disk(String)
  /// There is less room than must stay free.
  case noRoom
  /// The wedding's recordings take all that its plan has.
  case quota
  /// The process had ended before the part did; it is whole up to its last tag.
  case interrupted

  /// A stable word.
  package var code: String {
    switch self {
    case .publisherLeft: "publisher_left"
    case .stopped: "stopped"
    case .split: "split"
    case .otherSettings: "other_settings"
    case .slowDisk: "slow_disk"
    case .disk: "disk_error"
    case .noRoom: "disk_full"
    case .quota: "quota"
    case .interrupted: "interrupted"
    }
  }

  /// What happened, and what to do about it where something is wrong.
  package var description: String {
    switch self {
    case .publisherLeft(let words): "the publisher left (\(words))"
    case .stopped: "it was stopped"
    case .split: "the part reached recording.max_size"
    case .otherSettings: "the encoder changed its settings"
    case .slowDisk:
      "the disk took too long to write, and some of the stream was not recorded; use a faster disk "
        + "or raise recording.buffer"
    case .disk(let words): "the recording can't be written (\(words)); see to the disk"
    case .noRoom:
      "the disk is full (recording.reserve must stay free); make room, and recording goes on by "
        + "itself"
    case .quota:
      "the wedding's recordings take all that its plan has (recording.quota); delete some, or raise "
        + "it"
    case .interrupted: "the node ended while it was recorded"
    }
  }

  /// Whether something is wrong that somebody must hear of.
  package var isFault: Bool {
    switch self {
    case .slowDisk, .disk, .noRoom, .quota: true
    case .publisherLeft, .stopped, .split, .otherSettings, .interrupted: false
    }
  }
}
