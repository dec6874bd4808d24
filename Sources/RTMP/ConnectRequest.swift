/// What a client says about itself in `connect`.
package struct ConnectRequest: Equatable, Sendable {
  /// The application as it came, to be sent on to another server; it may hold a token.
  package let rawApp: String
  /// The application, up to the first slash, without a query.
  package let app: String
  /// What follows the first slash of the application; empty as a rule.
  package let instance: String
  /// The query that some clients put on the application: `live?token=…`.
  package let query: [StreamName.QueryItem]
  /// The address the client was given; it may hold a token: keep it out of logs.
  package let tcUrl: String
  package let flashVersion: String
  /// `nonprivate` for most encoders.
  package let type: String
  package let pageUrl: String
  package let swfUrl: String
  /// 0 or 3.
  package let objectEncoding: Double
  package let enhanced: EnhancedCapabilities

  package init(_ object: AMFObject) {
    rawApp = object["app"]?.string ?? ""
    let name = StreamName(rawApp)
    let parts = name.path.split(separator: "/", maxSplits: 1)
    app = parts.first.map(String.init) ?? ""
    instance = parts.count > 1 ? String(parts[1]) : ""
    query = name.query
    tcUrl = object["tcUrl"]?.string ?? ""
    flashVersion = object["flashVer"]?.string ?? ""
    type = object["type"]?.string ?? ""
    pageUrl = object["pageUrl"]?.string ?? ""
    swfUrl = object["swfUrl"]?.string ?? ""
    objectEncoding = object["objectEncoding"]?.number == 3 ? 3 : 0
    enhanced = EnhancedCapabilities(object)
  }
}
