/// Addresses as a cache names them: `host/path?query`.
enum EdgeAddress {
  /// What follows the host: `/path?query`.
  static func path(of name: String) -> Substring {
    name.firstIndex(of: "/").map { name[$0...] } ?? ""
  }

  /// What everything under an address is purged by: itself, the path, and the wedding's name where
  /// it is an address of a wedding's.
  static func tags(of name: String) -> [String] {
    let path = path(of: name)
    let parts = path.prefix { $0 != "?" }.split(separator: "/", maxSplits: 2)
    let isWedding = parts.count > 1 && (parts[0] == "hls" || parts[0] == "watch")
    return [name, String(path)] + (isWedding ? [String(parts[1])] : [])
  }

  /// What a reference in a response names, where that is of the same host (RFC 3986, 5.2).
  ///
  /// - Parameters:
  ///   - reference: of a Location or Content-Location field.
  ///   - name: of what was asked for.
  /// - Returns: nil where it is another host's, or names nothing here.
  static func resolve(_ reference: String, against name: String) -> String? {
    guard let slash = name.firstIndex(of: "/") else { return nil }
    let host = name[..<slash]
    let reference = reference.prefix { $0 != "#" }
    if let scheme = reference.range(of: "://") {
      let rest = reference[scheme.upperBound...]
      let other = rest.prefix { $0 != "/" && $0 != "?" }
      guard other.lowercased() == host.lowercased() else { return nil }
      let path = rest[other.endIndex...]
      return "\(host)\(path.hasPrefix("/") ? "" : "/")\(path)"
    }
    if reference.hasPrefix("//") {
      let rest = reference.dropFirst(2)
      let other = rest.prefix { $0 != "/" }
      return other.lowercased() == host.lowercased() ? String(rest) : nil
    }
    if reference.hasPrefix("/") { return "\(host)\(reference)" }
    guard !reference.isEmpty, !reference.prefix(while: { $0 != "/" }).contains(":") else {
      return nil
    }
    let path = name[slash...].prefix { $0 != "?" }
    if reference.hasPrefix("?") { return "\(host)\(path)\(reference)" }
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
    var parts: [Substring] = []
    let joined = "\(folder)\(reference)"
    for part in joined.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      switch part {
      case ".": continue
      case "..": parts.removeLast(parts.isEmpty ? 0 : 1)
      default: parts.append(part)
      }
    }
    return "\(host)/" + parts.joined(separator: "/")
  }
}

extension Substring {
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) {
        return start..<index(start, offsetBy: text.count)
      }
      formIndex(after: &start)
    }
    return nil
  }
}
