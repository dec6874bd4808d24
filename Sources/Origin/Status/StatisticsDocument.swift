package import Media

/// `/stat`: a node's status as the XML of nginx-rtmp's `rtmp_stat all`.
///
/// The elements, their order and their units are nginx-rtmp 1.1.4's, so that its readers and
/// stylesheets work. Viewers over HLS are an element of our own, `nviewers`, and so is what was
/// sent of a stream, by receivers and renditions, `sent`.
package struct StatisticsDocument: Sendable {
  package static let contentType = "text/xml; charset=utf-8"
  /// Where the stylesheet is found, relative to the document; browsers show the XML by it.
  package static let stylesheetName = "stat.css"
  package static let stylesheetContentType = "text/css; charset=utf-8"
  package static var stylesheet: [UInt8] { PackageResources.stat_css }

  /// The same as an XSL transformation to HTML, for `xsltproc` and pages that include it.
  ///
  /// The document doesn't name it: browsers are taking XSLT out, and warn about pages that use it.
  package static let transformContentType = "text/xsl; charset=utf-8"
  package static var transform: [UInt8] { PackageResources.stat_xsl }

  private let status: NodeStatus

  package init(_ status: NodeStatus) { self.status = status }

  /// The document's bytes.
  package func bytes() -> [UInt8] {
    var xml = XMLText()
    xml.instruction("xml-stylesheet", "type=\"text/css\" href=\"\(Self.stylesheetName)\"")
    xml.element("rtmp") { xml in
      xml.element("wedlive_version", status.version)
      // Readers look for these two before anything else.
      xml.element("nginx_version", "1.22.1")
      xml.element("nginx_rtmp_version", "1.1.4")
      xml.element("pid", status.pid)
      xml.element("uptime", status.uptimeMilliseconds / 1_000)
      xml.element("naccepted", status.accepted)
      Self.write(status.traffic, to: &xml)
      xml.element("server") { xml in
        xml.element("application") { xml in
          xml.element("name", "live")
          xml.element("live") { xml in
            for stream in status.streams { Self.write(stream, to: &xml) }
            xml.element("nclients", status.streams.reduce(0) { $0 + $1.clients.count })
          }
        }
      }
    }
    return [UInt8](xml.text.utf8)
  }

  private static func write(_ traffic: TrafficStatus, to xml: inout XMLText) {
    xml.element("bw_in", traffic.bitsInPerSecond)
    xml.element("bytes_in", traffic.bytesIn)
    xml.element("bw_out", traffic.bitsOutPerSecond)
    xml.element("bytes_out", traffic.bytesOut)
  }

  private static func write(_ stream: StreamStatus, to xml: inout XMLText) {
    xml.element("stream") { xml in
      xml.element("name", stream.name)
      xml.element("time", stream.timeMilliseconds)
      write(stream.traffic, to: &xml)
      xml.element("bw_audio", stream.audioBitsPerSecond)
      xml.element("bw_video", stream.videoBitsPerSecond)
      for client in stream.clients { write(client, to: &xml) }
      if stream.video != nil || stream.audio != nil {
        xml.element("meta") { xml in
          if let video = stream.video { write(video, to: &xml) }
          if let audio = stream.audio { write(audio, to: &xml) }
        }
      }
      xml.element("nclients", stream.clients.count)
      xml.element("nviewers", stream.viewers)
      for sent in stream.sent { write(sent, to: &xml) }
      if stream.clients.contains(where: \.isPublishing) { xml.flag("publishing") }
      if stream.state == .live { xml.flag("active") }
    }
  }

  private static func write(_ sent: SentStatus, to xml: inout XMLText) {
    xml.element("sent") { xml in
      xml.element("to", sent.receiver)
      if let rendition = sent.rendition { xml.element("rendition", rendition) }
      xml.element("bw_out", sent.bitsOutPerSecond)
      xml.element("bytes_out", sent.bytesOut)
    }
  }

  private static func write(_ client: ClientStatus, to xml: inout XMLText) {
    xml.element("client") { xml in
      xml.element("id", client.id)
      xml.element("address", client.address)
      xml.element("time", client.timeMilliseconds)
      if !client.flashVersion.isEmpty { xml.element("flashver", client.flashVersion) }
      if !client.pageURL.isEmpty { xml.element("pageurl", client.pageURL) }
      if !client.swfURL.isEmpty { xml.element("swfurl", client.swfURL) }
      xml.element("dropped", client.dropped)
      xml.element("avsync", client.avSyncMilliseconds)
      xml.element("timestamp", client.timestampMilliseconds)
      if client.isPublishing { xml.flag("publishing") }
      if client.isActive { xml.flag("active") }
    }
  }

  private static func write(_ video: VideoStatus, to xml: inout XMLText) {
    xml.element("video") { xml in
      xml.element("width", video.width)
      xml.element("height", video.height)
      xml.element("frame_rate", number(video.frameRate))
      xml.element("codec", name(video.codec))
      if !video.profile.isEmpty { xml.element("profile", video.profile) }
      if video.level != 0 {
        xml.element("compat", video.compatibility)
        xml.element("level", number(video.level, decimals: 10, isWhole: false))
      }
    }
  }

  private static func write(_ audio: AudioStatus, to xml: inout XMLText) {
    xml.element("audio") { xml in
      xml.element("codec", name(audio.codec))
      if !audio.profile.isEmpty { xml.element("profile", audio.profile) }
      xml.element("channels", audio.channels)
      xml.element("sample_rate", audio.sampleRate)
    }
  }

  /// A number rounded to a part of `decimals`; without a decimal where `isWhole` and it needs none.
  private static func number(
    _ value: Double, decimals: Double = 1_000, isWhole: Bool = true
  ) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "0" }
    let rounded = (value * decimals).rounded() / decimals
    return isWhole && rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
  }

  /// The codec as nginx-rtmp writes it.
  package static func name(_ codec: Codec) -> String {
    switch codec {
    case .h264: "H264"
    case .h265: "H265"
    case .vvc: "H266"
    case .av1: "AV1"
    case .vp9: "VP9"
    case .vp8: "VP8"
    case .aac: "AAC"
    case .mp3: "MP3"
    case .opus: "Opus"
    case .ac3: "AC3"
    case .eac3: "EAC3"
    case .flac: "FLAC"
    case .h263: "Sorenson-H263"
    case .screenVideo: "ScreenVideo"
    case .vp6: "On2-VP6"
    case .pcm: "LPCM"
    case .adpcm: "ADPCM"
    case .nellymoser: "Nellymoser"
    case .speex: "Speex"
    case .g711: "G711"
    }
  }
}
