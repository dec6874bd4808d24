import Access
import Foundation
import Testing

@Suite struct `Secret file` {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "wedlive-secret-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  var path: String { "\(folder)/secret" }

  func mode() throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
  }

  @Test func `it is made once, for its owner alone, and then read`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (secret, isNew) = try SecretFile(path: path).readOrMake()
    #expect(isNew && secret.count == 64)
    #expect(secret.allSatisfy { (48...57).contains($0) || (97...102).contains($0) })
    #expect(try mode() == 0o600)
    let again = try SecretFile(path: path).readOrMake()
    #expect(!again.isNew && again.secret == secret)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["secret"])
  }

  @Test func `two secrets differ`() throws {
    let one = try SecretFile(path: "\(folder)/1").readOrMake().secret
    let two = try SecretFile(path: "\(folder)/2").readOrMake().secret
    #expect(one != two)
  }

  @Test func `many first starts at once agree on one secret`() async throws {
    let path = path
    let secrets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<16 { group.addTask { try SecretFile(path: path).readOrMake().secret } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(secrets.count == 1)
  }

  @Test(arguments: [0o644, 0o640, 0o602, 0o610])
  func `one that others can touch is refused with the cure`(mode: Int) throws {
    _ = try SecretFile(path: path).readOrMake()
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    #expect {
      _ = try SecretFile(path: path).readOrMake()
    } throws: { error in
      "\(error)".contains("chmod 600 \(path)")
    }
  }

  @Test(arguments: ["", "short", "fifteen bytes !\n\n"])
  func `a weak one is refused and not replaced`(text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    #expect {
      _ = try SecretFile(path: path).readOrMake()
    } throws: { error in
      "\(error)".contains("fewer than 16") && !"\(error)".contains("fifteen")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8))
  }

  @Test func `a folder, a missing file and a missing folder are named`() {
    for path in [folder, "\(folder)/none", "/nonexistent/secret"] {
      #expect {
        _ = try SecretFile(path: path).read()
      } throws: { error in
        "\(error)".hasPrefix(path)
      }
    }
    #expect(throws: SecretFile.Failure.self) {
      try SecretFile(path: "/nonexistent/secret").readOrMake()
    }
  }
}
