/// What a storage needs beside its kind.
struct StorageConsistency {
  let reading: ConfigurationReading

  func faults() -> [ConfigurationFault] {
    let storage = reading.configuration.storage
    var faults: [ConfigurationFault] = []
    func need(_ key: String, _ isThere: Bool) {
      guard !isThere, reading.isSound("storage.kind", key) else { return }
      faults.append(
        reading.fault("storage.kind", "\(storage.kind.rawValue) needs \(key) beside it"))
    }
    switch storage.kind {
    case .off, .local: break
    case .s3:
      need("storage.s3.bucket", !storage.s3.bucket.isEmpty)
      need("storage.s3.access_key", !storage.s3.accessKey.isEmpty)
      need(
        "storage.s3.secret_key", storage.s3.secretKey != nil || storage.s3.secretKeyFile != nil)
    case .telegram:
      need("storage.telegram.chat_id", !storage.telegram.chatID.isEmpty)
      need(
        "storage.telegram.bot_token",
        storage.telegram.botToken != nil || storage.telegram.botTokenFile != nil)
    }
    if storage.s3.secretKey != nil, storage.s3.secretKeyFile != nil {
      faults.append(
        reading.fault(
          "storage.s3.secret_key_file", "storage.s3.secret_key is given too; give one of them"))
    }
    if storage.telegram.botToken != nil, storage.telegram.botTokenFile != nil {
      faults.append(
        reading.fault(
          "storage.telegram.bot_token_file",
          "storage.telegram.bot_token is given too; give one of them"))
    }
    return faults
  }
}
