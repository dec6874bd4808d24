import Bytes
import Crypto
package import HTTPClient
import HTTPTypes

/// A chat of Telegram's: each part of a file is a message that a bot has posted there.
///
/// A video that fits is posted as one, so that it plays in the chat; a larger file is cut into
/// documents. Telegram says no checksum: an object is confirmed by reading it back.
package struct TelegramStorage: ObjectStorage {
  package let kind = StorageKind.telegram
  /// How much is held at once of a part that is read back.
  private static let pieceBytes = 8 << 20

  private let configuration: TelegramConfiguration
  private let outbound: Outbound
  private let scheme: String
  private let authority: String
  private let basePath: String

  /// - Parameters:
  ///   - configuration: the bot and the chat.
  ///   - http: the way out; files are read on its thread.
  /// - Throws: `.misconfigured`, naming the key.
  package init(_ configuration: TelegramConfiguration, http: HTTPClient) throws(StorageError) {
    self.configuration = configuration
    let parts = configuration.api.split(
      separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "https" || parts[0] == "http", !parts[1].isEmpty else {
      throw .misconfigured(
        "storage.telegram.api: \(configuration.api): expected http:// or https://")
    }
    let slash = parts[1].firstIndex(of: "/") ?? parts[1].endIndex
    var path = String(parts[1][slash...])
    while path.hasSuffix("/") { path.removeLast() }
    guard
      configuration.token.utf8.allSatisfy({
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
          || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
      }), configuration.token.contains(":")
    else {
      throw .misconfigured("storage.telegram.bot_token: expected a token as @BotFather gives it")
    }
    scheme = String(parts[0])
    authority = String(parts[1][..<slash])
    basePath = path
    outbound = Outbound(
      client: http, patience: configuration.patience, peer: "Telegram at \(authority)")
  }

  package func put(
    _ path: String, as name: String, contentType: String, from checkpoint: UploadCheckpoint?,
    note: @Sendable (UploadCheckpoint) async -> Void
  ) async throws(StorageError) -> StoredObject {
    try ObjectName.check(name)
    let source = try SourceFile(path)
    guard source.bytes > 0 else {
      throw .unreadable("\(path) is empty, and Telegram takes no empty files")
    }
    var whole = SHA256()
    var upload = try await resume(source, name, checkpoint, &whole)
    let count = (source.bytes + upload.partBytes - 1) / upload.partBytes
    while upload.bytesSent < source.bytes {
      if Task.isCancelled { throw .cancelled }
      let range = upload.bytesSent..<min(upload.bytesSent + upload.partBytes, source.bytes)
      let (digest, after) = try await hash(source, range, whole)
      whole = after
      let number = upload.parts.count + 1
      upload.parts.append(
        try await post(source, range, digest, name, contentType, number: number, of: count))
      await note(upload)
    }
    return StoredObject(
      kind: .telegram, name: name, location: configuration.chat, bytes: source.bytes,
      contentType: contentType, checksum: Hexadecimal.text(whole.finalize()), parts: upload.parts)
  }

  package func confirm(_ object: StoredObject) async throws(StorageError) -> Bool {
    try check(object)
    var whole = SHA256()
    for part in object.parts {
      var digest = SHA256()
      do throws(StorageError) {
        let path = try await path(of: part, of: object)
        for start in stride(from: 0, to: part.bytes, by: Self.pieceBytes) {
          let range = start..<min(start + Self.pieceBytes, part.bytes)
          let bytes = try await fetch(range, of: part, at: path, of: object)
          digest.update(data: bytes)
          whole.update(data: bytes)
        }
      } catch .notFound {
        return false
      } catch .damaged {
        return false
      }
      guard Hexadecimal.text(digest.finalize()) == part.checksum else { return false }
    }
    return Hexadecimal.text(whole.finalize()) == object.checksum
  }

  package func read(
    _ object: StoredObject, range: Range<Int>
  ) async throws(StorageError) -> [UInt8] {
    try check(object)
    try ObjectRange.check(range, of: object)
    var bytes: [UInt8] = []
    var start = 0
    for part in object.parts {
      let place = start..<start + part.bytes
      start = place.upperBound
      let wanted = range.clamped(to: place)
      if wanted.isEmpty { continue }
      let inner = wanted.lowerBound - place.lowerBound..<wanted.upperBound - place.lowerBound
      bytes += try await fetch(
        inner, of: part, at: try await path(of: part, of: object), of: object)
    }
    return bytes
  }

  package func delete(_ object: StoredObject) async throws(StorageError) {
    try check(object)
    for part in object.parts { try await remove(part, in: object.location) }
  }

  package func abandon(_ checkpoint: UploadCheckpoint) async throws(StorageError) {
    guard checkpoint.kind == .telegram else { return }
    for part in checkpoint.parts { try await remove(part, in: checkpoint.location) }
  }

  package func address(_ object: StoredObject) -> String? {
    ObjectName.address(object.name, below: configuration.publicURL)
  }

  private func check(_ object: StoredObject) throws(StorageError) {
    guard object.kind == .telegram else {
      throw .elsewhere("\(object.name) was put into \(object.kind.rawValue) storage")
    }
  }

  private func hash(
    _ source: SourceFile, _ range: Range<Int>, _ whole: SHA256
  ) async throws(StorageError) -> (digest: [UInt8], whole: SHA256) {
    try await BlockingWork.run { () throws(StorageError) in
      var together = whole
      return (try source.checksum(of: range, adding: &together), together)
    }
  }

  /// Keeps of an earlier try what the file still has: Telegram's messages stay where they are.
  private func resume(
    _ source: SourceFile, _ name: String, _ checkpoint: UploadCheckpoint?, _ whole: inout SHA256
  ) async throws(StorageError) -> UploadCheckpoint {
    let fresh = UploadCheckpoint(
      kind: .telegram, name: name, location: configuration.chat, bytes: source.bytes, uploadID: "",
      partBytes: max(1, configuration.partBytes))
    guard var upload = checkpoint, upload.kind == .telegram, upload.name == name,
      upload.location == fresh.location, upload.bytes == source.bytes, upload.partBytes > 0,
      upload.bytesSent <= source.bytes
    else { return fresh }
    var start = 0
    var kept: [StoredPart] = []
    for part in upload.parts {
      guard part.bytes == min(upload.partBytes, source.bytes - start), part.bytes > 0 else { break }
      let (digest, after) = try await hash(source, start..<start + part.bytes, whole)
      guard Hexadecimal.text(digest) == part.checksum else { break }
      whole = after
      start += part.bytes
      kept.append(part)
    }
    // What belongs to another file would stay in the chat for ever.
    for part in upload.parts.dropFirst(kept.count) {
      try await remove(part, in: upload.location)
    }
    upload.parts = kept
    return upload
  }

  /// Posts a part.
  private func post(
    _ source: SourceFile, _ range: Range<Int>, _ digest: [UInt8], _ name: String,
    _ contentType: String, number: Int, of count: Int
  ) async throws(StorageError) -> StoredPart {
    let isVideo = count == 1 && contentType == "video/mp4"
    let last = name.split(separator: "/").last.map(String.init) ?? name
    let digits = "\(number)"
    let suffix =
      count == 1 ? "" : "." + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    var fields: [(name: String, value: String)] = [
      ("chat_id", configuration.chat), ("disable_notification", "true"),
      ("caption", count == 1 ? name : "\(name) (\(number)/\(count))"),
    ]
    fields.append(
      isVideo ? ("supports_streaming", "true") : ("disable_content_type_detection", "true"))
    let form = FormBody(
      fields: fields,
      file: (
        field: isVideo ? "video" : "document", name: last + suffix,
        contentType: count == 1 ? contentType : "application/octet-stream",
        bytes: .file(descriptor: source.descriptor, range: range, owner: source)
      ))
    let body = try await call(isVideo ? "sendVideo" : "sendDocument", form)
    guard let message = BotAnswer.result(BotAnswer.Message.self, body) else {
      throw .unreachable("\(outbound.peer) took a file without saying which it is")
    }
    let part = StoredPart(
      bytes: range.count, checksum: Hexadecimal.text(digest), reference: message.file?.id ?? "",
      message: message.id)
    // What is posted again stands in the chat once.
    guard !part.reference.isEmpty else {
      try await remove(part, in: configuration.chat)
      throw .unreachable("\(outbound.peer) took a file without saying which it is")
    }
    if let bytes = message.file?.bytes, bytes != range.count {
      try await remove(part, in: configuration.chat)
      throw .damaged(
        "\(outbound.peer) made \(bytes) bytes of the \(range.count) of \(last)\(suffix)")
    }
    return part
  }

  /// Asks where a part can be fetched.
  private func path(
    of part: StoredPart, of object: StoredObject
  ) async throws(StorageError) -> String {
    let body = try await call(
      "getFile?file_id=" + ObjectName.escaped(part.reference, keepingSlashes: false))
    guard let file = BotAnswer.result(BotAnswer.File.self, body), let path = file.path else {
      throw .unreachable("\(outbound.peer) has a part of \(object.name) without saying where")
    }
    if let bytes = file.bytes, bytes != part.bytes {
      throw .damaged(
        "\(outbound.peer) has \(bytes) bytes of a part of \(object.name), not \(part.bytes)")
    }
    guard !path.hasPrefix("/") else {
      throw .misconfigured(
        "\(outbound.peer) runs with --local, and keeps files where a node can't read them: run it"
          + " without")
    }
    return path
  }

  /// Fetches some of a part.
  private func fetch(
    _ range: Range<Int>, of part: StoredPart, at path: String, of object: StoredObject
  ) async throws(StorageError) -> [UInt8] {
    let (head, bytes) = try await outbound.send(
      // A server that knows no ranges sends all of it; more than this is too much to hold.
      maxResponseBytes: min(part.bytes, max(range.count, ObjectRange.maximumBytes)) + (1 << 16),
      make: {
        var request = HTTPRequest(
          method: .get, scheme: scheme, authority: authority,
          path: "\(basePath)/file/bot\(configuration.token)/\(ObjectName.escaped(path))")
        request.headerFields[.range] = "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
        return request
      },
      judge: { head, _ in
        switch head.status.code {
        case 200, 206: .done
        case 404: .failed(.notFound("\(outbound.peer) has no part of \(object.name) any more"))
        case 500...599, 429: .failed(.unreachable("\(outbound.peer) answers \(head.status.code)"))
        default:
          .failed(
            .refused(status: head.status.code, "\(outbound.peer) doesn't give \(object.name) back"))
        }
      })
    if head.status.code == 200, bytes.count == part.bytes { return Array(bytes[range]) }
    guard head.status.code == 206, bytes.count == range.count else {
      throw .damaged(
        "\(object.name): \(bytes.count) bytes came where \(range.count) were asked for")
    }
    return bytes
  }

  /// Deletes a message; one that is gone is deleted.
  private func remove(_ part: StoredPart, in chat: String) async throws(StorageError) {
    guard let message = part.message else { return }
    let chat = ObjectName.escaped(chat, keepingSlashes: false)
    do throws(StorageError) {
      _ = try await call("deleteMessage?chat_id=\(chat)&message_id=\(message)")
    } catch .notFound {
    }
  }

  /// Calls a method of the Bot API; its address holds the token, and is never shown.
  private func call(_ method: String, _ form: FormBody? = nil) async throws(StorageError) -> [UInt8]
  {
    let (_, body) = try await outbound.send(
      body: form?.body ?? .none,
      make: {
        var request = HTTPRequest(
          method: form == nil ? .get : .post, scheme: scheme, authority: authority,
          path: "\(basePath)/bot\(configuration.token)/\(method)")
        if let form { request.headerFields[.contentType] = form.contentType }
        return request
      },
      judge: { head, body in judge(head, body) })
    return body
  }

  private func judge(_ head: HTTPResponse, _ body: [UInt8]) -> Outbound.Judgement {
    guard let answer = BotAnswer(body) else {
      let words = "\(outbound.peer) answers \(head.status.code), and not as the Bot API does"
      return .failed(
        head.status.code >= 500 || head.status.code == 429
          ? .unreachable(words)
          : .refused(status: head.status.code, words + ": look at storage.telegram.api"))
    }
    if answer.ok { return .done }
    let code = answer.code ?? head.status.code
    let said = printable(answer.description ?? "status \(code)")
    let words = "\(outbound.peer) says \(said)"
    if let seconds = answer.parameters?.retryAfter {
      return .wait(.seconds(max(1, seconds)), .unreachable(words))
    }
    if let chat = answer.parameters?.migrateToChat {
      return .failed(
        .refused(status: code, "\(words): set storage.telegram.chat_id to \(chat)"))
    }
    if said.contains("message to delete not found") || said.contains("invalid file_id")
      || said.contains("wrong file_id")
    {
      return .failed(.notFound(words))
    }
    switch code {
    case 401, 404:
      return .failed(.refused(status: code, "\(words): look at storage.telegram.bot_token"))
    case 403:
      return .failed(
        .refused(
          status: code,
          "\(words): add the bot to the chat \(configuration.chat) as an administrator"))
    case 413:
      return .failed(
        .refused(status: code, "\(words): make storage.telegram.part_size smaller"))
    case 400 where said.contains("chat not found"):
      return .failed(
        .refused(
          status: code,
          "\(words): look at storage.telegram.chat_id, and add the bot to the chat"))
    case 400 where said.contains("file is too big"):
      return .failed(
        .refused(
          status: code,
          "\(words): make storage.telegram.part_size smaller (Telegram's own servers"
            + " give back 20 MB at most)"))
    case 429, 500...599: return .failed(.unreachable(words))
    default: return .failed(.refused(status: code, words))
    }
  }

  /// What a server says, on one line, and without the token where it repeats our address.
  private func printable(_ text: String) -> String {
    let line = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
    return String(
      String(String.UnicodeScalarView(line)).replacing(configuration.token, with: "…").prefix(300))
  }
}
