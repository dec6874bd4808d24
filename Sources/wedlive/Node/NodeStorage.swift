import Foundation
import Storage
import Telemetry

/// The storage that a configuration names.
enum NodeStorage {
  /// Opens it.
  ///
  /// - Parameters:
  ///   - configuration: of the node.
  ///   - metrics: where its calls are counted.
  /// - Returns: nil where recordings stay where they are.
  /// - Throws: `StartFailure` naming the key.
  static func open(
    _ configuration: NodeConfiguration, metrics: MetricRegistry? = nil
  ) throws(StartFailure) -> (any ObjectStorage)? {
    guard let storage = try self.configuration(configuration) else { return nil }
    do throws(StorageError) {
      return try storage.open(
        certificateAuthorities: configuration.storage.certificateAuthorities, metrics: metrics)
    } catch {
      throw StartFailure("storage: \(error)")
    }
  }

  /// For `Storage`.
  static func configuration(
    _ node: NodeConfiguration
  ) throws(StartFailure) -> StorageConfiguration? {
    let section = node.storage
    var patience = StoragePatience()
    patience.timeout = section.timeout
    patience.stall = section.stall
    switch section.kind {
    case .off: return nil
    case .local:
      let path = section.path.isEmpty ? node.data.path + "/kept" : section.path
      return .local(path: path, publicURL: section.publicURL)
    case .s3:
      let secret = try SecretText.needed(
        section.s3.secretKey, section.s3.secretKeyFile, key: "storage.s3.secret_key")
      var s3 = S3Configuration(
        bucket: section.s3.bucket, accessKey: section.s3.accessKey, secretKey: secret)
      s3.endpoint = section.s3.endpoint
      s3.region = section.s3.region
      s3.prefix = section.s3.prefix
      s3.usesPathStyle = section.s3.pathStyle
      s3.partBytes = section.s3.partSize
      s3.usesChecksums = section.s3.checksums
      s3.publicURL = section.publicURL
      s3.patience = patience
      return .s3(s3)
    case .telegram:
      let token = try SecretText.needed(
        section.telegram.botToken, section.telegram.botTokenFile,
        key: "storage.telegram.bot_token")
      var telegram = TelegramConfiguration(token: token, chat: section.telegram.chatID)
      telegram.api = section.telegram.api
      telegram.partBytes = section.telegram.partSize
      telegram.publicURL = section.publicURL
      telegram.patience = patience
      return .telegram(telegram)
    }
  }
}
