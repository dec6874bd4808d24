import CDN
import HTTPClient
import Logging
import Redis
import Store
import Telemetry

/// The CDN that a configuration names.
enum NodeCDN {
  /// Makes what calls its API.
  ///
  /// - Returns: nil where there is none.
  /// - Throws: `StartFailure` naming the key.
  static func provider(
    _ configuration: NodeConfiguration, metrics: MetricRegistry? = nil
  ) throws(StartFailure) -> (any CDNProvider)? {
    let section = configuration.cdn
    guard section.provider != .off else { return nil }
    var settings = HTTPClientConfiguration()
    settings.certificateAuthorities = section.certificateAuthorities
    let client: HTTPClient
    do throws(HTTPClientError) {
      client = try HTTPClient(settings, metrics: metrics)
    } catch {
      throw StartFailure("cdn.ca: \(error)")
    }
    do throws(CDNError) {
      switch section.provider {
      case .off: return nil
      case .cloudfront: return try CloudFront(try cloudFront(section), client)
      case .cloudflare: return try Cloudflare(try cloudflare(section), client)
      case .fastly: return try Fastly(try fastly(section), client)
      case .http: return try GenericPurge(try generic(section), client)
      }
    } catch {
      throw StartFailure("cdn.\(section.provider.rawValue): \(error.message)")
    }
  }

  private static func cloudFront(
    _ section: CDNSection
  ) throws(CDNError) -> CloudFront.Configuration {
    let own = section.cloudFront
    var configuration = CloudFront.Configuration(
      distribution: own.distribution, accessKey: own.accessKey,
      secretKey: try secret(own.secretKey, own.secretKeyFile, "cdn.cloudfront.secret_key") ?? "")
    configuration.sessionToken = try secret(
      own.sessionToken, own.sessionTokenFile, "cdn.cloudfront.session_token")
    configuration.endpoint = own.endpoint
    configuration.maxPaths = own.maxPaths
    configuration.maxWildcards = own.maxWildcards
    configuration.deadline = section.timeout
    return configuration
  }

  private static func cloudflare(
    _ section: CDNSection
  ) throws(CDNError) -> Cloudflare.Configuration {
    let own = section.cloudflare
    var configuration = Cloudflare.Configuration(
      zone: own.zone, token: try secret(own.token, own.tokenFile, "cdn.cloudflare.token") ?? "",
      host: section.domain)
    configuration.endpoint = own.endpoint
    configuration.maxItems = own.maxItems
    configuration.deadline = section.timeout
    return configuration
  }

  private static func fastly(_ section: CDNSection) throws(CDNError) -> Fastly.Configuration {
    let own = section.fastly
    var configuration = Fastly.Configuration(
      service: own.service, token: try secret(own.token, own.tokenFile, "cdn.fastly.token") ?? "",
      host: section.domain)
    configuration.endpoint = own.endpoint
    configuration.maxKeys = own.maxKeys
    configuration.deadline = section.timeout
    return configuration
  }

  private static func generic(
    _ section: CDNSection
  ) throws(CDNError) -> GenericPurge.Configuration {
    let own = section.http
    var configuration = GenericPurge.Configuration(
      path: form(own.path), prefix: form(own.prefix), tag: form(own.tag))
    if let header = own.tagHeader.flatMap(header) { configuration.tag?.headers.append(header) }
    configuration.softHeader = own.softHeader.flatMap(header)
    if let text = try secret(own.header, own.headerFile, "cdn.http.header") {
      guard let header = header(text) else {
        throw CDNError(.misconfigured, "header_file: expected a name, a colon and a value")
      }
      configuration.headers.append(header)
    }
    configuration.deadline = section.timeout
    return configuration
  }

  private static func form(_ text: String?) -> GenericPurge.Form? {
    guard let words = text?.split(separator: " "), words.count == 2 else { return nil }
    return GenericPurge.Form(String(words[0]), String(words[1]))
  }

  /// `Name: value`; nil for what is none.
  static func header(_ text: String) -> (name: String, value: String)? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let name = String(text[..<colon]).trimmingSpaces()
    let value = String(text[text.index(after: colon)...]).trimmingSpaces()
    let isToken = name.utf8.allSatisfy {
      switch $0 {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
      default: false
      }
    }
    return name.isEmpty || value.isEmpty || !isToken ? nil : (name, value)
  }

  private static func secret(
    _ given: String?, _ file: String?, _ key: String
  ) throws(CDNError) -> String? {
    do throws(StartFailure) {
      return try SecretText.optional(given, file, key: key)
    } catch {
      throw CDNError(.misconfigured, error.description)
    }
  }

  /// How its queue behaves.
  static func queue(_ section: CDNSection) -> PurgeQueueConfiguration {
    var queue = PurgeQueueConfiguration()
    queue.maxQueued = section.maxQueued
    queue.maxFailures = section.maxFailures
    queue.maxAttempts = section.attempts
    queue.maxAge = section.maxAge
    queue.firstPause = section.firstPause
    queue.longestPause = section.longestPause
    queue.hold = section.hold
    return queue
  }

  /// Makes what tells the CDN and the cluster's edges; nil where there is neither.
  ///
  /// - Parameters:
  ///   - configuration: of the node.
  ///   - cluster: whose edges are told; its Redis has the queue.
  ///   - file: what waits here.
  ///   - registry: of the metrics.
  /// - Returns: to be run as a service.
  /// - Throws: `StartFailure` naming the key.
  static func purger(
    _ configuration: NodeConfiguration, _ cluster: NodeCluster?, _ file: RecordFile,
    _ registry: MetricRegistry
  ) throws(StartFailure) -> Purger? {
    let provider = try provider(configuration, metrics: registry)
    guard provider != nil || cluster != nil else { return nil }
    let logger = Logger(label: "cdn")
    let records = SQLitePurges(file)
    let queue = provider.map {
      PurgeQueue(
        $0, in: cluster.map { .redis($0.redis) } ?? .file(records),
        node: configuration.node.effectiveID, Self.queue(configuration.cdn), metrics: registry,
        logger: logger)
    }
    return Purger(
      queue, edges: cluster?.edges, outbox: cluster == nil ? nil : records,
      limit: configuration.cdn.maxQueued, metrics: registry, logger: logger)
  }
}
