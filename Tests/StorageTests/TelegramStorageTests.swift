import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct `Telegram storage` {
  private let folder = TemporaryFolder()
  private let server: ScriptedStorage

  init() throws { server = try ScriptedStorage() }

  private func put(
    _ file: String, as name: String, into storage: TelegramStorage,
    from checkpoint: UploadCheckpoint? = nil, notes: Notes = Notes()
  ) async throws -> StoredObject {
    try await storage.put(file, as: name, contentType: "video/mp4", from: checkpoint) {
      await notes.add($0)
    }
  }

  @Test(arguments: [100_000, 100_001])
  func `a small movie is posted as a video, and comes back`(_ count: Int) async throws {
    let storage = try server.telegram()
    let bytes = folder.bytes(count)
    let object = try await put(
      try folder.file("a", bytes), as: "anna-ben/recording.mp4", into: storage)
    #expect(try await server.log().contains { $0.contains("/sendVideo") })
    #expect(try await storage.confirm(object))
    #expect(try await storage.read(object, range: 10..<90_000) == Array(bytes[10..<90_000]))
    #expect(storage.address(object) == nil)
    try await storage.delete(object)
    try await storage.delete(object)
    #expect(try await !storage.confirm(object))
    #expect(try await server.stock().objects.isEmpty)
  }

  @Test func `a large file is cut into documents, and read across them`() async throws {
    let storage = try server.telegram()
    let bytes = folder.bytes((2 << 20) + 1_000)
    let object = try await put(try folder.file("a", bytes), as: "a.mp4", into: storage)
    #expect(object.parts.map(\.bytes) == [1 << 20, 1 << 20, 1_000])
    #expect(try await storage.confirm(object))
    let range = (1 << 20) - 5..<(2 << 20) + 7
    #expect(try await storage.read(object, range: range) == Array(bytes[range]))
  }

  @Test func `an upload goes on after the parts that were posted`() async throws {
    let storage = try server.telegram()
    let bytes = folder.bytes((2 << 20) + 1_000)
    let path = try folder.file("a", bytes)
    let notes = Notes()
    let broken = try server.telegram { $0.patience.attempts = 1 }
    // Cancelled after the second message.
    let first = Task {
      try await broken.put(path, as: "a", contentType: "video/mp4", from: nil) {
        await notes.add($0)
        // No third one is on its way when it is cancelled, which cuts this short.
        if $0.parts.count == 2 { try? await Task.sleep(for: .seconds(3_600)) }
      }
    }
    while await notes.all.count < 2 { try await Task.sleep(for: .milliseconds(2)) }
    first.cancel()
    _ = await first.result
    let checkpoint = try #require(await notes.all.first { $0.parts.count == 2 })
    _ = try await server.log()
    let object = try await put(path, as: "a", into: storage, from: checkpoint)
    #expect(try await server.log().filter { $0.contains("/send") }.count == 1)
    #expect(try await storage.confirm(object))
    // Of another file nothing is kept, and its messages go.
    var changed = bytes
    changed[0] ^= 1
    _ = try folder.file("a", changed)
    let other = try await put(path, as: "a", into: storage, from: checkpoint)
    #expect(other.parts.count == 3)
    #expect(try await storage.confirm(other))
    #expect(try await !storage.confirm(object))
  }

  @Test func `a limit on calls is waited for`() async throws {
    let storage = try server.telegram()
    try await server.faults([
      [
        "match": "sendVideo", "do": "status", "status": 429,
        "body": #"{"ok":false,"error_code":429,"description":"Too Many Requests","#
          + #""parameters":{"retry_after":1}}"#,
      ]
    ])
    let start = ContinuousClock.now
    _ = try await put(try folder.file("a", [1, 2, 3]), as: "a", into: storage)
    #expect(ContinuousClock.now - start >= .seconds(1))
    try await server.faults([
      [
        "match": "sendVideo", "do": "status", "status": 429, "times": 10,
        "body": #"{"ok":false,"error_code":429,"description":"Too Many Requests","#
          + #""parameters":{"retry_after":4000}}"#,
      ]
    ])
    let error = await #expect(throws: StorageError.self) {
      try await put(try folder.file("b", [1, 2, 3]), as: "a", into: storage)
    }
    #expect(error?.isRetryable == true)
  }

  @Test func `what Telegram has made of a part is compared`() async throws {
    let storage = try server.telegram()
    let path = try folder.file("a", folder.bytes(1_000))
    try await server.faults([["match": "sendVideo", "do": "lie"]])
    let error = await #expect(throws: StorageError.self) {
      try await put(path, as: "a", into: storage)
    }
    #expect(error?.code == "damaged")
    #expect(try await server.stock().objects.isEmpty)
    try await server.faults([["match": "sendVideo", "do": "rot"]])
    let object = try await put(path, as: "a", into: storage)
    #expect(try await !storage.confirm(object))
  }

  @Test func `refusals say what to do, and never the token`() async throws {
    let file = try folder.file("a", [1, 2, 3])
    let cases: [(change: (inout TelegramConfiguration) -> Void, word: String)] = [
      ({ $0.token = "999:other" }, "storage.telegram.bot_token"),
      ({ $0.chat = "@nobody" }, "storage.telegram.chat_id"),
    ]
    for (change, word) in cases {
      let storage = try server.telegram(change)
      let error = await #expect(throws: StorageError.self) {
        try await put(file, as: "a", into: storage)
      }
      #expect(error?.code == "refused")
      #expect(error?.description.contains(word) == true)
    }
    let down = try server.telegram { $0.api = "http://127.0.0.1:9" }
    let error = await #expect(throws: StorageError.self) {
      try await put(file, as: "a", into: down)
    }
    #expect(error?.code == "unreachable")
    #expect(error?.description.contains("123:abc") == false)
    #expect(throws: StorageError.self) { try server.telegram { $0.token = "a b/../c" } }
  }

  @Test func `a message whose file nobody can name is taken back`() async throws {
    let storage = try server.telegram()
    try await server.faults([
      [
        "match": "sendVideo", "do": "status", "status": 200,
        "body": #"{"ok":true,"result":{"message_id":77,"video":{"file_size":3}}}"#,
      ]
    ])
    let error = await #expect(throws: StorageError.self) {
      try await put(try folder.file("a", [1, 2, 3]), as: "a", into: storage)
    }
    #expect(error?.code == "unreachable")
    #expect(try await server.log().contains { $0.contains("message_id=77") })
  }

  @Test func `a large part is confirmed piece by piece`() async throws {
    let storage = try server.telegram { $0.partBytes = 19 << 20 }
    let path = try folder.file("a", folder.bytes(17 << 20))
    let object = try await put(path, as: "a", into: storage)
    #expect(object.parts.count == 1)
    _ = try await server.log()
    #expect(try await storage.confirm(object))
    let log = try await server.log()
    #expect(log.filter { $0.contains("/file/bot") }.count == 3)
    #expect(log.filter { $0.contains("getFile") }.count == 1)
  }

  @Test func `what a server repeats of our address is not told on`() async throws {
    let storage = try server.telegram()
    try await server.faults([
      [
        "match": "sendVideo", "do": "status", "status": 400,
        "body": #"{"ok":false,"description":"no\nhandler for /bot123:abc_DEF-4/sendVideo"}"#,
      ]
    ])
    let error = await #expect(throws: StorageError.self) {
      try await put(try folder.file("a", [1, 2, 3]), as: "a", into: storage)
    }
    #expect(error?.code == "refused")
    #expect(error?.description.contains("abc_DEF") == false)
    #expect(error?.description.contains("\n") == false)
    #expect(error?.description.contains("handler for /bot…/sendVideo") == true)
  }
}
