extension ConfigurationTable {
  static let cdn: [ConfigurationKey] =
    [
      .choice(
        "cdn.provider", \.cdn.provider,
        "The CDN in front of the edges: it is told what not to serve any more. `http` is any cache that"
          + " takes a request for each purge. All origins need the same `cdn` section."),
      .text(
        "cdn.domain", \.cdn.domain, takes: "a host name, with :port where it isn't 443",
        "The host that viewers ask it by: the addresses of playlists and recordings are made of it."
          + " Cloudflare and Fastly need it for their purges, too.",
        where: { $0.isEmpty || isAuthority($0) }),
      .duration(
        "cdn.timeout", \.cdn.timeout, in: .seconds(1)...(.seconds(120)),
        "How long a call of its API may take."),
      .file(
        "cdn.ca", \.cdn.certificateAuthorities, example: "/etc/wedlive/cdn-ca.pem",
        "PEM file of authorities to trust there in place of the system's."),
      .count(
        "cdn.max_queued", \.cdn.maxQueued, in: 1...1_000_000,
        "How many purges may wait; more are refused, none is dropped. So many may also wait on a node"
          + " while Redis is away."),
      .count(
        "cdn.max_failures", \.cdn.maxFailures, in: 1...100_000,
        "How many purges that were given up are kept to be looked at."),
      .count(
        "cdn.attempts", \.cdn.attempts, in: 1...1_000,
        "How often a purge may fail by itself before it is given up."),
      .duration(
        "cdn.max_age", \.cdn.maxAge, in: .seconds(60)...(.seconds(30 * 86_400)),
        "How old a purge may become before it is given up, whatever the reason."),
      .duration(
        "cdn.first_pause", \.cdn.firstPause, in: .milliseconds(10)...(.seconds(3_600)),
        "How long is waited before a call is tried again; doubled each time."),
      .duration(
        "cdn.longest_pause", \.cdn.longestPause, in: .milliseconds(10)...(.seconds(86_400)),
        "How long at most."),
      .duration(
        "cdn.hold", \.cdn.hold, in: .seconds(1)...(.seconds(3_600)),
        "How long the node that does the purges may be silent before another does them; at least"
          + " twice cdn.timeout."),
    ] + cloudFront + cloudflare + fastly + genericPurge

  /// A host, with a port or without.
  static func isAuthority(_ text: String) -> Bool {
    let colon = text.lastIndex(of: ":")
    let host = colon.map { text[..<$0] } ?? text[...]
    let port = colon.map { text[text.index(after: $0)...] }
    return ConfigurationRules.isHost(String(host)) && !host.contains(":")
      && port.map { UInt16($0).map { $0 > 0 } ?? false } ?? true
  }

  private static let cloudFront: [ConfigurationKey] = [
    .text(
      "cdn.cloudfront.distribution", \.cdn.cloudFront.distribution,
      takes: "the id of a distribution", "The distribution in front of the edges.",
      where: { _ in true }),
    .text(
      "cdn.cloudfront.access_key", \.cdn.cloudFront.accessKey,
      "The name of a key that may make invalidations.", where: { _ in true }),
    .optional(
      "cdn.cloudfront.secret_key", \.cdn.cloudFront.secretKey, takes: "a text",
      example: "(the secret of the key)", "The key's secret.", isSecret: true),
    .file(
      "cdn.cloudfront.secret_key_file", \.cdn.cloudFront.secretKeyFile,
      example: "/run/secrets/cloudfront",
      "A file that holds it, instead of `cdn.cloudfront.secret_key`."),
    .optional(
      "cdn.cloudfront.session_token", \.cdn.cloudFront.sessionToken, takes: "a text",
      example: "(the token)", "The token of temporary credentials.", isSecret: true),
    .file(
      "cdn.cloudfront.session_token_file", \.cdn.cloudFront.sessionTokenFile,
      example: "/run/secrets/cloudfront-session",
      "A file that holds it, instead of `cdn.cloudfront.session_token`."),
    .text(
      "cdn.cloudfront.endpoint", \.cdn.cloudFront.endpoint,
      takes: "an http:// or https:// address", "The API.",
      where: ConfigurationRules.isWebAddress),
    .count(
      "cdn.cloudfront.max_paths", \.cdn.cloudFront.maxPaths, in: 1...3_000,
      "Paths in one invalidation; AWS takes 3,000 that are under way."),
    .count(
      "cdn.cloudfront.max_wildcards", \.cdn.cloudFront.maxWildcards, in: 1...1_000,
      "Of these, those that end in `*`; AWS takes 15 that are under way."),
  ]

  private static let cloudflare: [ConfigurationKey] = [
    .text(
      "cdn.cloudflare.zone", \.cdn.cloudflare.zone, takes: "the id of a zone",
      "The zone of `cdn.domain`.", where: { _ in true }),
    .optional(
      "cdn.cloudflare.token", \.cdn.cloudflare.token, takes: "an API token",
      example: "(a token with Cache Purge)", "A token that may purge the zone.", isSecret: true),
    .file(
      "cdn.cloudflare.token_file", \.cdn.cloudflare.tokenFile, example: "/run/secrets/cloudflare",
      "A file that holds it, instead of `cdn.cloudflare.token`."),
    .text(
      "cdn.cloudflare.endpoint", \.cdn.cloudflare.endpoint,
      takes: "an http:// or https:// address", "The API.",
      where: ConfigurationRules.isWebAddress),
    .count(
      "cdn.cloudflare.max_items", \.cdn.cloudflare.maxItems, in: 1...1_000,
      "Tags, prefixes or files in one call; older plans take 30."),
  ]

  private static let fastly: [ConfigurationKey] = [
    .text(
      "cdn.fastly.service", \.cdn.fastly.service, takes: "the id of a service",
      "The service in front of the edges.", where: { _ in true }),
    .optional(
      "cdn.fastly.token", \.cdn.fastly.token, takes: "an API token",
      example: "(a token that may purge)", "A token that may purge the service.", isSecret: true),
    .file(
      "cdn.fastly.token_file", \.cdn.fastly.tokenFile, example: "/run/secrets/fastly",
      "A file that holds it, instead of `cdn.fastly.token`."),
    .text(
      "cdn.fastly.endpoint", \.cdn.fastly.endpoint, takes: "an http:// or https:// address",
      "The API.", where: ConfigurationRules.isWebAddress),
    .count(
      "cdn.fastly.max_keys", \.cdn.fastly.maxKeys, in: 1...256,
      "Surrogate keys in one call."),
  ]

  private static let genericPurge: [ConfigurationKey] = [
    form("cdn.http.path", \.cdn.http.path, "PURGE http://cache:6081{path}", "one address"),
    form(
      "cdn.http.prefix", \.cdn.http.prefix, "BAN http://cache:6081{prefix}",
      "all whose address begins so"),
    form(
      "cdn.http.tag", \.cdn.http.tag, "PURGE http://cache:6081/tags/{tag}",
      "all of a wedding, by its tag"),
    header(
      "cdn.http.tag_header", \.cdn.http.tagHeader, "Surrogate-Key: {tag}",
      "A header of purges by tag."),
    header(
      "cdn.http.soft_header", \.cdn.http.softHeader, "X-Soft-Purge: 1",
      "A header of purges that are soft: what is purged may be served while it is asked for anew."),
    header(
      "cdn.http.header", \.cdn.http.header, "X-Purge-Token: (a secret)",
      "A header of all purges, such as a credential.", isSecret: true),
    .file(
      "cdn.http.header_file", \.cdn.http.headerFile, example: "/run/secrets/purge-header",
      "A file that holds it, instead of `cdn.http.header`."),
  ]

  private static func form(
    _ path: String, _ target: ConfigurationKey.Path<String?>, _ example: String, _ what: String
  ) -> ConfigurationKey {
    .optional(
      path, target, takes: "a method and an address, such as \(example)", example: example,
      "How \(what) is purged.",
      where: { text in
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2 else { return false }
        let address = ["{path}", "{prefix}", "{tag}", "{wedding}"].reduce(words[1]) {
          $0.replacing($1, with: $1.hasPrefix("{p") ? "/x" : "x")
        }
        return ConfigurationRules.isWebAddress(address)
      })
  }

  private static func header(
    _ path: String, _ target: ConfigurationKey.Path<String?>, _ example: String,
    _ summary: String, isSecret: Bool = false
  ) -> ConfigurationKey {
    .optional(
      path, target, takes: "a name, a colon and a value, such as \(example)", example: example,
      summary, isSecret: isSecret, where: { NodeCDN.header($0) != nil })
  }
}
