/// What a node says once it is ready: what listens where, where to publish, where to watch.
struct Banner: Equatable, Sendable {
  /// A port that is open.
  struct Listener: Equatable, Sendable {
    /// Such as `RTMP`.
    let name: String
    /// Where it listens, such as `[::]:1935`.
    let address: String
  }

  /// A stream that can be tried at once.
  struct Demo: Equatable, Sendable {
    let publish: [String]
    let watch: String
  }

  var version = Version.current
  var node: String
  var listeners: [Listener]
  /// Addresses to publish to, without a token: `rtmp://localhost/live/TOKEN`.
  var publish: [String]
  /// Addresses to watch at, with `WEDDING` for the name.
  var watch: [String]
  /// The status page.
  var status: String?
  var cipher: String
  var certificate: String
  var dataPath: String
  var demo: Demo?
  /// What an operator should know before going on.
  var warnings: [String] = []

  /// The banner's text, ending with a line break.
  func text(on terminal: Terminal) -> String {
    var rows: [(String, String)] = []
    func add(_ label: String, _ values: [String]) {
      for (index, value) in values.enumerated() { rows.append((index == 0 ? label : "", value)) }
    }
    add("listens", listeners.map { pad($0.name, 6) + " " + $0.address })
    add("publish", publish)
    add("watch", watch)
    if let status { add("status", [status]) }
    add("cipher", [cipher])
    add("certificate", [certificate])
    add("data", [dataPath])
    var lines = [
      terminal.styled("wedlive \(version)", .bold) + terminal.styled("  \(node)", .dim), "",
    ]
    lines += rows.map { "  " + terminal.styled(pad($0, 12), .dim) + $1 }
    if let demo {
      lines += ["", "  " + terminal.styled("A test picture is on air.", .green), ""]
      lines.append(
        "  " + terminal.styled(pad("watch it", 12), .dim) + terminal.styled(demo.watch, .cyan))
      for (index, address) in demo.publish.enumerated() {
        let label = index == 0 ? "or publish" : ""
        lines.append("  " + terminal.styled(pad(label, 12), .dim) + address)
      }
    }
    for warning in warnings {
      lines += ["", "  " + terminal.styled("note: ", .bold) + warning]
    }
    return "\n" + lines.joined(separator: "\n") + "\n\n"
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
