/// What a CDN needs beside its name.
struct CDNConsistency {
  let reading: ConfigurationReading

  func faults() -> [ConfigurationFault] {
    let cdn = reading.configuration.cdn
    var faults: [ConfigurationFault] = []
    func need(_ key: String, or other: String? = nil, _ isThere: Bool) {
      guard !isThere, reading.isSound("cdn.provider", key, other ?? key) else { return }
      let key = other.map { "\(key) or \($0)" } ?? key
      faults.append(
        reading.fault("cdn.provider", "\(cdn.provider.rawValue) needs \(key) beside it"))
    }
    func one(_ key: String, _ secret: String?, _ file: String?) {
      guard secret != nil, file != nil else { return }
      faults.append(reading.fault("\(key)_file", "\(key) is given too; give one of them"))
    }
    switch cdn.provider {
    case .off: break
    case .cloudfront:
      need("cdn.cloudfront.distribution", !cdn.cloudFront.distribution.isEmpty)
      need("cdn.cloudfront.access_key", !cdn.cloudFront.accessKey.isEmpty)
      need(
        "cdn.cloudfront.secret_key",
        cdn.cloudFront.secretKey != nil || cdn.cloudFront.secretKeyFile != nil)
    case .cloudflare:
      need("cdn.cloudflare.zone", !cdn.cloudflare.zone.isEmpty)
      need(
        "cdn.cloudflare.token", cdn.cloudflare.token != nil || cdn.cloudflare.tokenFile != nil)
      need("cdn.domain", !cdn.domain.isEmpty)
    case .fastly:
      need("cdn.fastly.service", !cdn.fastly.service.isEmpty)
      need("cdn.fastly.token", cdn.fastly.token != nil || cdn.fastly.tokenFile != nil)
      need("cdn.domain", !cdn.domain.isEmpty)
    case .http:
      need("cdn.http.tag", or: "cdn.http.prefix", cdn.http.tag != nil || cdn.http.prefix != nil)
    }
    one("cdn.cloudfront.secret_key", cdn.cloudFront.secretKey, cdn.cloudFront.secretKeyFile)
    one(
      "cdn.cloudfront.session_token", cdn.cloudFront.sessionToken, cdn.cloudFront.sessionTokenFile)
    one("cdn.cloudflare.token", cdn.cloudflare.token, cdn.cloudflare.tokenFile)
    one("cdn.fastly.token", cdn.fastly.token, cdn.fastly.tokenFile)
    one("cdn.http.header", cdn.http.header, cdn.http.headerFile)
    if cdn.hold < cdn.timeout * 2, reading.isSound("cdn.hold", "cdn.timeout") {
      let key = reading.places["cdn.hold"] == nil ? "cdn.timeout" : "cdn.hold"
      faults.append(
        reading.fault(
          key,
          "a call must end while nobody else may make one: cdn.hold must be"
            + " \(DurationText.format(cdn.timeout * 2)) or more"))
    }
    if cdn.longestPause < cdn.firstPause,
      reading.isSound("cdn.first_pause", "cdn.longest_pause")
    {
      faults.append(
        reading.fault("cdn.longest_pause", "must not be less than cdn.first_pause"))
    }
    return faults
  }
}
