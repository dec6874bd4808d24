import Origin

extension NodeStatus {
  /// A table for people of the streams of one node: a line for each, and below it one for all that
  /// was sent of it by itself.
  var streamTable: String {
    if streams.isEmpty, programs.isEmpty {
      return "No stream is here. An edge lists those that somebody watches at it.\n"
    }
    var table = TextTable(
      head: ["stream", "state", "viewers", "in", "received", "out", "sent"])
    for stream in streams {
      table.add([
        stream.name, stream.state.rawValue, "\(stream.viewers)",
        BitrateText.rounded(stream.traffic.bitsInPerSecond),
        SizeText.rounded(Int(clamping: stream.traffic.bytesIn)),
        BitrateText.rounded(stream.traffic.bitsOutPerSecond),
        SizeText.rounded(Int(clamping: stream.traffic.bytesOut)),
      ])
      table.add(stream.sent)
    }
    for program in programs {
      table.add([
        "\(program.wedding)/program", program.isLive ? "live" : "ended", "\(program.viewers)", "",
        "",
        BitrateText.rounded(program.traffic.bitsOutPerSecond),
        SizeText.rounded(Int(clamping: program.traffic.bytesOut)),
      ])
      table.add(program.sent)
    }
    return table.text
  }
}

extension TextTable {
  fileprivate mutating func add(_ sent: [SentStatus]) {
    for each in sent {
      add([
        "  \(each.rendition ?? "playlists") to \(each.receiver)", "", "", "", "",
        BitrateText.rounded(each.bitsOutPerSecond), SizeText.rounded(Int(clamping: each.bytesOut)),
      ])
    }
  }
}
