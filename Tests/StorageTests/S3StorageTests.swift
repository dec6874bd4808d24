import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct `S3 storage` {
  private let folder = TemporaryFolder()
  private let server: ScriptedStorage

  init() throws { server = try ScriptedStorage() }

  private func put(
    _ file: String, as name: String, into storage: S3Storage,
    from checkpoint: UploadCheckpoint? = nil, notes: Notes = Notes()
  ) async throws -> StoredObject {
    try await storage.put(file, as: name, contentType: "video/mp4", from: checkpoint) {
      await notes.add($0)
    }
  }

  /// 13 MiB and a bit: two parts of 5 MiB, and the rest.
  private func large() throws -> (path: String, bytes: [UInt8]) {
    let bytes = folder.bytes((13 << 20) + 77)
    return (try folder.file("large.mp4", bytes), bytes)
  }

  @Test func `a small file goes as one request, and comes back`() async throws {
    let storage = try server.s3 { $0.publicURL = "https://cdn.example" }
    let bytes = folder.bytes(100_000)
    let object = try await put(
      try folder.file("a", bytes), as: "anna & ben/a+b=ü.mp4", into: storage)
    #expect(object.location == "weddings/kept here/anna & ben/a+b=ü.mp4")
    #expect(try await storage.confirm(object))
    #expect(try await storage.read(object, range: 99_000..<100_000) == Array(bytes[99_000...]))
    #expect(try await storage.read(object, range: 5..<5).isEmpty)
    #expect(
      storage.address(object)
        == "https://cdn.example/kept%20here/anna%20%26%20ben/a%2Bb%3D%C3%BC.mp4")
    #expect(try await server.log().filter { $0.hasPrefix("PUT") }.count == 1)
    try await storage.delete(object)
    try await storage.delete(object)
    #expect(try await !storage.confirm(object))
    let error = await #expect(throws: StorageError.self) {
      try await storage.read(object, range: 0..<1)
    }
    #expect(error?.code == "not_found")
  }

  @Test(arguments: [true, false])
  func `a large file goes in parts, with and without S3's checksums`(_ checks: Bool) async throws {
    let storage = try server.s3 { $0.usesChecksums = checks }
    let (path, bytes) = try large()
    let notes = Notes()
    let object = try await put(path, as: "large.mp4", into: storage, notes: notes)
    #expect(object.parts.map(\.bytes) == [5 << 20, 5 << 20, (3 << 20) + 77])
    #expect(await notes.all.map { $0.parts.count } == [0, 1, 2, 3])
    #expect(try await storage.confirm(object))
    let range = (5 << 20) - 10..<(5 << 20) + 10
    #expect(try await storage.read(object, range: range) == Array(bytes[range]))
    #expect(try await server.stock().uploads == 0)
  }

  @Test func `what fails for a moment is tried again`() async throws {
    let storage = try server.s3()
    let (path, _) = try large()
    try await server.faults([
      ["match": "POST .*uploads=", "do": "status", "status": 503],
      ["match": "PUT .*partNumber=1", "do": "cut", "times": 2],
      ["match": "PUT .*partNumber=2", "do": "lost"],
      ["match": "PUT .*partNumber=3", "do": "status", "status": 500],
      // It has done it, but nobody has heard.
      ["match": "POST .*uploadId=", "do": "lost"],
    ])
    let object = try await put(path, as: "x", into: storage)
    #expect(try await storage.confirm(object))
    #expect(try await server.stock().objects == ["kept here/x": object.bytes])
  }

  @Test func `an upload goes on with the parts that are there`() async throws {
    let storage = try server.s3()
    let (path, _) = try large()
    let notes = Notes()
    try await server.faults([["match": "partNumber=3", "do": "cut", "times": 100]])
    let error = await #expect(throws: StorageError.self) {
      try await put(path, as: "x", into: storage, notes: notes)
    }
    #expect(error?.isRetryable == true)
    let checkpoint = try #require(await notes.all.last)
    #expect(checkpoint.parts.count == 2)
    #expect(checkpoint.progress > 0.7)
    // As a row of a job keeps it.
    let kept = try JSONDecoder().decode(
      UploadCheckpoint.self, from: JSONEncoder().encode(checkpoint))
    try await server.faults([])
    _ = try await server.log()
    let object = try await put(path, as: "x", into: storage, from: kept)
    #expect(try await storage.confirm(object))
    let sent = try await server.log().filter { $0.hasPrefix("PUT") }
    #expect(sent.count == 1)
    #expect(sent.first?.contains("partNumber=3") == true)
    // Finished, and nobody has noticed: found, not repeated.
    let last = Notes()
    var done = kept
    done.parts = object.parts
    #expect(try await put(path, as: "x", into: storage, from: done, notes: last) == object)
    #expect(try await server.log().filter { $0.hasPrefix("PUT") }.isEmpty)
    #expect(await last.all.isEmpty)
  }

  @Test func `a list of parts that turns its pages in a circle comes to an end`() async throws {
    let storage = try server.s3()
    let (path, _) = try large()
    let notes = Notes()
    try await server.faults([["match": "partNumber=3", "do": "cut", "times": 100]])
    await #expect(throws: StorageError.self) {
      try await put(path, as: "x", into: storage, notes: notes)
    }
    func page(_ match: String, next: Int) -> [String: Any] {
      [
        "match": match, "do": "status", "status": 200, "times": 1_000,
        "body": "<R><IsTruncated>true</IsTruncated>"
          + "<NextPartNumberMarker>\(next)</NextPartNumberMarker></R>",
      ]
    }
    try await server.faults([
      page("GET .*part-number-marker=1&", next: 2), page("GET .*part-number-marker=2&", next: 1),
      page("GET .*uploadId=", next: 1),
    ])
    _ = try await server.log()
    let object = try await put(path, as: "x", into: storage, from: await notes.all.last)
    #expect(try await server.log().filter { $0.hasPrefix("GET") }.count <= 4)
    #expect(try await storage.confirm(object))
  }

  @Test func `a service that takes long to put the parts together is waited for`() async throws {
    let storage = try server.s3 {
      $0.patience.timeout = .seconds(1)
      $0.patience.stall = .seconds(1)
    }
    let (path, _) = try large()
    try await server.faults([
      ["match": "POST .*uploadId=", "do": "stall", "seconds": 4, "times": 1_000]
    ])
    let object = try await put(path, as: "x", into: storage)
    #expect(
      try await server.log().filter { $0.contains("POST") && $0.contains("uploadId=") }.count == 1)
    #expect(try await storage.confirm(object))
  }

  @Test func `a service that can't list uploads is no reason not to begin one`() async throws {
    let storage = try server.s3()
    let (path, _) = try large()
    try await server.faults([
      [
        "match": "GET .*uploads=", "do": "status", "status": 501, "times": 1_000,
        "body": "<Error><Code>NotImplemented</Code><Message>not here</Message></Error>",
      ]
    ])
    let object = try await put(path, as: "x", into: storage)
    #expect(try await storage.confirm(object))
    #expect(
      try await server.log().filter { $0.contains("uploads=") && $0.hasPrefix("GET") }.count == 1)
  }

  @Test func `an upload of a file that has changed begins anew, and leaves nothing behind`()
    async throws
  {
    let storage = try server.s3()
    let (path, bytes) = try large()
    let notes = Notes()
    try await server.faults([["match": "partNumber=3", "do": "cut", "times": 100]])
    await #expect(throws: StorageError.self) {
      try await put(path, as: "x", into: storage, notes: notes)
    }
    try await server.faults([])
    var changed = bytes
    changed[1000] ^= 1
    _ = try folder.file("large.mp4", changed)
    let object = try await put(path, as: "x", into: storage, from: await notes.all.last)
    #expect(try await storage.confirm(object))
    #expect(try await server.stock().uploads == 0)
    #expect(
      try await storage.read(object, range: 990..<1010) == Array(changed[990..<1010]))
  }

  @Test func `an upload that is given up, or was forgotten, takes no room`() async throws {
    let storage = try server.s3()
    let (path, _) = try large()
    let notes = Notes()
    try await server.faults([["match": "partNumber=3", "do": "cut", "times": 100]])
    await #expect(throws: StorageError.self) {
      try await put(path, as: "x", into: storage, notes: notes)
    }
    #expect(try await server.stock().uploads == 1)
    let checkpoint = try #require(await notes.all.last)
    try await storage.abandon(checkpoint)
    try await storage.abandon(checkpoint)
    #expect(try await server.stock().uploads == 0)
    await #expect(throws: StorageError.self) { try await put(path, as: "x", into: storage) }
    try await server.faults([])
    _ = try await put(path, as: "x", into: storage)
    #expect(try await server.stock().uploads == 0)
  }

  @Test func `bytes that were changed on their way or in the storage are noticed`() async throws {
    let storage = try server.s3()
    let small = try folder.file("a", folder.bytes(1_000))
    try await server.faults([["match": "PUT", "do": "lie", "times": 100]])
    let lied = await #expect(throws: StorageError.self) {
      try await put(small, as: "a", into: storage)
    }
    #expect(lied?.code == "damaged")
    let (path, _) = try large()
    for checks in [true, false] {
      let storage = try server.s3 { $0.usesChecksums = checks }
      try await server.faults([["match": "POST .*uploadId", "do": "rot"]])
      let rotten = await #expect(throws: StorageError.self) {
        try await put(path, as: "x", into: storage)
      }
      #expect(rotten?.code == "damaged")
      #expect(rotten?.isRetryable == true)
    }
  }

  @Test func `a storage whose checksums say nothing is read back`() async throws {
    let storage = try server.s3()
    let bytes = folder.bytes(9_000_000)
    let object = try await put(
      try folder.file("a", bytes), as: "foreign-nochecksum", into: storage)
    #expect(try await storage.confirm(object))
    _ = try await server.log()
    #expect(try await storage.confirm(object))
    #expect(try await server.log().filter { $0.hasPrefix("GET") }.count == 2)
    var other = object
    other.checksum = String(repeating: "0", count: 64)
    #expect(try await !storage.confirm(other))
  }

  @Test func `refusals say what to do, and are no reason to try again`() async throws {
    let file = try folder.file("a", [1, 2, 3])
    let cases: [(change: (inout S3Configuration) -> Void, word: String)] = [
      ({ $0.accessKey = "other" }, "storage.s3.access_key"),
      ({ $0.secretKey = "other" }, "storage.s3.secret_key"),
      ({ $0.bucket = "none" }, "make the bucket none"),
    ]
    for (change, word) in cases {
      let storage = try server.s3(change)
      let error = await #expect(throws: StorageError.self) {
        try await put(file, as: "a", into: storage)
      }
      #expect(error?.code == "refused")
      #expect(error?.isRetryable == false)
      #expect(error?.description.contains(word) == true)
    }
    let answers: [(status: Int, code: String, word: String, kind: String)] = [
      (403, "AccessDenied", "s3:PutObject", "refused"),
      (403, "RequestTimeTooSkewed", "clock", "refused"),
      (400, "AuthorizationHeaderMalformed", "storage.s3.region", "refused"),
      (507, "XMinioStorageFull", "XMinioStorageFull", "full"),
    ]
    let storage = try server.s3()
    for (status, code, word, kind) in answers {
      try await server.faults([
        [
          "match": "PUT", "do": "status", "status": status, "times": 10,
          "body": "<Error><Code>\(code)</Code><Message>no\u{7}</Message></Error>",
        ]
      ])
      let error = await #expect(throws: StorageError.self) {
        try await put(file, as: "a", into: storage)
      }
      #expect(error?.code == kind)
      #expect(error?.description.contains(word) == true)
      #expect(error?.description.contains("\u{7}") == false)
    }
  }

  @Test func `a storage that is down, or stands still, is a reason to try again`() async throws {
    let file = try folder.file("a", [1, 2, 3])
    let down = try server.s3 { $0.endpoint = "http://127.0.0.1:9" }
    let error = await #expect(throws: StorageError.self) {
      try await put(file, as: "a", into: down)
    }
    #expect(error?.code == "unreachable")
    #expect(error?.isRetryable == true)
    try await server.faults([["match": "PUT", "do": "stall", "times": 100]])
    let slow = try server.s3 {
      $0.patience.stall = .seconds(1)
      $0.patience.attempts = 1
    }
    let stalled = await #expect(throws: StorageError.self) {
      try await put(file, as: "a", into: slow)
    }
    #expect(stalled?.code == "unreachable")
  }

  @Test func `a cancelled upload ends at once`() async throws {
    try await server.faults([["match": "PUT", "do": "stall", "times": 100]])
    let storage = try server.s3()
    let (path, _) = try large()
    let notes = Notes()
    let task = Task {
      try await storage.put(path, as: "x", contentType: "video/mp4", from: nil) {
        await notes.add($0)
        // The rest isn't sent before it is cancelled, which cuts this short.
        try? await Task.sleep(for: .seconds(3_600))
      }
    }
    while await notes.all.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    task.cancel()
    let error = await #expect(throws: StorageError.self) { try await task.value }
    #expect(error == .cancelled)
  }

  @Test func `an object of another bucket or storage is not looked for here`() async throws {
    let storage = try server.s3()
    var object = try await put(try folder.file("a", [1]), as: "a", into: storage)
    object.location = "others/a"
    let error = await #expect(throws: StorageError.self) { try await storage.confirm(object) }
    #expect(error?.code == "elsewhere")
  }
}
