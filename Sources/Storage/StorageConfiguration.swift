import HTTPClient
package import Telemetry

/// Which storage there is, and what it needs.
package enum StorageConfiguration: Equatable, Sendable {
  /// A folder, and where somebody serves it to people.
  case local(path: String, publicURL: String?)
  case s3(S3Configuration)
  case telegram(TelegramConfiguration)

  /// Opens the storage; nothing on the network is asked yet.
  ///
  /// - Parameters:
  ///   - certificateAuthorities: a PEM file to trust in place of the system's.
  ///   - metrics: where `wedlive_storage_…` are counted.
  /// - Returns: a storage with a way out of its own, as files are read on that thread.
  /// - Throws: `.misconfigured`, naming the key.
  package func open(
    certificateAuthorities: String? = nil, metrics: MetricRegistry? = nil
  ) throws(StorageError) -> any ObjectStorage {
    let storage: any ObjectStorage
    switch self {
    case .local(let path, let publicURL):
      storage = try LocalStorage(path: path, publicURL: publicURL)
    case .s3(let configuration):
      storage = try S3Storage(configuration, http: try Self.wayOut(certificateAuthorities))
    case .telegram(let configuration):
      storage = try TelegramStorage(configuration, http: try Self.wayOut(certificateAuthorities))
    }
    return metrics.map { MeteredStorage(storage, metrics: $0) } ?? storage
  }

  private static func wayOut(
    _ certificateAuthorities: String?
  ) throws(StorageError) -> HTTPClient {
    var configuration = HTTPClientConfiguration()
    configuration.maxConcurrent = 16
    configuration.maxPerHost = 8
    configuration.certificateAuthorities = certificateAuthorities
    do throws(HTTPClientError) {
      return try HTTPClient(configuration)
    } catch {
      throw .failed("no way out to the storage: \(error.message)")
    }
  }
}
