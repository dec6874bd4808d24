/// What one side of a connection says about Enhanced RTMP in `connect` or its answer.
///
/// - Note: Source: Enhanced RTMP v2, "Enhancing NetConnection connect Command".
package struct EnhancedCapabilities: Equatable, Sendable {
  /// What can be done with a codec.
  package struct CodecMask: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let decode = CodecMask(rawValue: 1)
    package static let encode = CodecMask(rawValue: 2)
    package static let forward = CodecMask(rawValue: 4)
  }

  /// What can be done beyond codecs.
  package struct Extensions: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let reconnect = Extensions(rawValue: 1)
    package static let multitrack = Extensions(rawValue: 2)
    package static let modEx = Extensions(rawValue: 4)
    package static let nanosecondOffset = Extensions(rawValue: 8)
  }

  package struct Codec: Equatable, Sendable {
    /// Four characters, or `*`: all of them.
    package let fourCC: String
    package let mask: CodecMask

    package init(_ fourCC: String, _ mask: CodecMask) {
      self.fourCC = fourCC
      self.mask = mask
    }
  }

  /// `fourCcList`, the first version's way: codecs without saying what can be done with them.
  package var list: [String] = []
  package var video: [Codec] = []
  package var audio: [Codec] = []
  package var extensions: Extensions = []

  package init() {}

  /// What this engine takes in and hands on: all codecs that Enhanced RTMP names.
  package static let server: EnhancedCapabilities = {
    var all = EnhancedCapabilities()
    all.video = ["avc1", "hvc1", "av01", "vp09", "vp08", "vvc1"].map { Codec($0, .forward) }
    all.audio = ["mp4a", "Opus", ".mp3", "fLaC", "ac-3", "ec-3"].map { Codec($0, .forward) }
    all.list = (all.video + all.audio).map(\.fourCC)
    all.extensions = [.reconnect, .multitrack, .modEx]
    return all
  }()

  /// Reads them from a command object; what has another type than it should is not there.
  package init(_ object: AMFObject) {
    list = (object["fourCcList"]?.array ?? []).prefix(64).compactMap(\.string)
    video = Self.codecs(object["videoFourCcInfoMap"])
    audio = Self.codecs(object["audioFourCcInfoMap"])
    extensions = Extensions(rawValue: object["capsEx"]?.uint32 ?? 0)
  }

  /// Whether anything was said at all.
  package var isEmpty: Bool {
    list.isEmpty && video.isEmpty && audio.isEmpty && extensions.isEmpty
  }

  /// What both sides know; a `*` of the peer stands for every codec.
  package func common(with other: EnhancedCapabilities) -> EnhancedCapabilities {
    var common = EnhancedCapabilities()
    common.list = list.filter { other.list.contains($0) || other.list.contains("*") }
    common.video = video.filter { Self.has($0, other.video) }
    common.audio = audio.filter { Self.has($0, other.audio) }
    common.extensions = extensions.intersection(other.extensions)
    return common
  }

  /// Appends what there is to a command object.
  package func append(to object: inout AMFObject) {
    if !list.isEmpty { object.append("fourCcList", .array(list.map { .string($0) })) }
    if !video.isEmpty { object.append("videoFourCcInfoMap", Self.map(video)) }
    if !audio.isEmpty { object.append("audioFourCcInfoMap", Self.map(audio)) }
    if !extensions.isEmpty {
      object.append("capsEx", .number(Double(extensions.rawValue)))
    }
  }

  private static func has(_ codec: Codec, _ others: [Codec]) -> Bool {
    others.contains { $0.fourCC == codec.fourCC || $0.fourCC == "*" }
  }

  private static func codecs(_ value: AMFValue?) -> [Codec] {
    (value?.object?.members ?? []).prefix(64).map {
      Codec($0.name, CodecMask(rawValue: $0.value.uint32 ?? 0))
    }
  }

  private static func map(_ codecs: [Codec]) -> AMFValue {
    var object = AMFObject()
    for codec in codecs { object.append(codec.fourCC, .number(Double(codec.mask.rawValue))) }
    return .object(object)
  }
}
