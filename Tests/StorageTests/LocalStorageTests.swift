import Foundation
import TestSupport
import Testing

@testable import Storage

@Suite struct `Local storage` {
  private let folder = TemporaryFolder()

  private func storage() throws -> LocalStorage {
    try LocalStorage(path: folder.path + "/kept", publicURL: "https://cdn.example/r/")
  }

  private func put(
    _ file: String, as name: String, into storage: LocalStorage
  ) async throws -> StoredObject {
    try await storage.put(file, as: name, contentType: "video/mp4", from: nil) { _ in }
  }

  @Test func `a file is put, confirmed, read in part and deleted with its folders`() async throws {
    let storage = try storage()
    let bytes = folder.bytes(3_000_000)
    let file = try folder.file("a.mp4", bytes)
    let object = try await put(file, as: "anna-ben/r1/recording.mp4", into: storage)
    #expect(object.bytes == bytes.count)
    #expect(object.checksum.count == 64)
    #expect(try await storage.confirm(object))
    #expect(try await storage.read(object, range: 10..<2_000_010) == Array(bytes[10..<2_000_010]))
    #expect(storage.address(object) == "https://cdn.example/r/anna-ben/r1/recording.mp4")
    // Putting it again is no error, and a source that goes takes nothing away.
    #expect(try await put(file, as: object.name, into: storage) == object)
    try FileManager.default.removeItem(atPath: file)
    #expect(try await storage.confirm(object))
    try await storage.delete(object)
    try await storage.delete(object)
    #expect(try await !storage.confirm(object))
    #expect(try FileManager.default.contentsOfDirectory(atPath: storage.path).isEmpty)
  }

  @Test func `what is no longer what was put is not confirmed`() async throws {
    let storage = try storage()
    let object = try await put(
      try folder.file("a", folder.bytes(1_000)), as: "a", into: storage)
    let place = URL(fileURLWithPath: storage.path + "/a")
    var data = try Data(contentsOf: place)
    data[500] ^= 1
    try data.write(to: place)
    #expect(try await !storage.confirm(object))
    try data.dropLast().write(to: place)
    #expect(try await !storage.confirm(object))
    await #expect(throws: StorageError.self) { try await storage.read(object, range: 0..<10) }
  }

  @Test func `a copy on another file system is the same`() async throws {
    let storage = try LocalStorage(path: "/dev/shm/wedlive-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: storage.path) }
    let bytes = folder.bytes(2_500_000)
    let object = try await put(try folder.file("a", bytes), as: "b/c", into: storage)
    #expect(try await storage.confirm(object))
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: storage.path + "/b/c"))) == bytes)
    #expect(try FileManager.default.contentsOfDirectory(atPath: storage.path + "/b") == ["c"])
  }

  @Test(arguments: ["", "/a", "a//b", "../a", "a/../b", "a/.b", "a\u{7}", "a\\b"])
  func `names that could lead elsewhere are refused`(_ name: String) async throws {
    let storage = try storage()
    let file = try folder.file("a", [1])
    let error = await #expect(throws: StorageError.self) {
      try await put(file, as: name, into: storage)
    }
    #expect(error?.code == "out_of_range")
  }

  @Test func `a file that is none, and a folder that is gone, are told apart`() async throws {
    let storage = try storage()
    let missing = await #expect(throws: StorageError.self) {
      try await put(folder.path + "/none", as: "a", into: storage)
    }
    #expect(missing?.code == "unreadable")
    #expect(missing?.isRetryable == false)
    let object = try await put(try folder.file("a", [1, 2, 3]), as: "x/a", into: storage)
    try FileManager.default.removeItem(atPath: storage.path)
    // A mount that has gone proves nothing about what is in it.
    let gone = await #expect(throws: StorageError.self) { try await storage.confirm(object) }
    #expect(gone?.isRetryable == true)
    let file = try folder.file("b", [1])
    let second = await #expect(throws: StorageError.self) {
      try await put(file, as: "b", into: storage)
    }
    #expect(second?.isRetryable == true)
  }

  @Test func `a disk that has gone is not taken for the folder that it was mounted on`()
    async throws
  {
    let path = folder.path + "/kept"
    let disk = "/dev/shm/wedlive-\(UUID().uuidString)"
    let files = FileManager.default
    try files.createDirectory(atPath: disk, withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: disk) }
    // A link to another disk stands for a mount, which a test may not make.
    try files.createSymbolicLink(atPath: path, withDestinationPath: disk)
    let storage = try LocalStorage(path: path)
    let file = try folder.file("a", [1, 2, 3])
    let object = try await put(file, as: "x/a", into: storage)
    try files.removeItem(atPath: path)
    try files.createDirectory(atPath: path, withIntermediateDirectories: true)
    let errors = [
      await #expect(throws: StorageError.self) { try await storage.confirm(object) },
      await #expect(throws: StorageError.self) { try await put(file, as: "b", into: storage) },
      await #expect(throws: StorageError.self) { try await storage.delete(object) },
      await #expect(throws: StorageError.self) { try await storage.read(object, range: 0..<1) },
    ]
    #expect(errors.allSatisfy { $0?.isRetryable == true })
    #expect(errors.allSatisfy { $0?.description.contains("mount it again") == true })
    #expect(try files.contentsOfDirectory(atPath: path).isEmpty)
    try files.removeItem(atPath: path)
    try files.createSymbolicLink(atPath: path, withDestinationPath: disk)
    #expect(try await storage.confirm(object))
  }
}
