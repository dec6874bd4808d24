import ArgumentParser
import Foundation
import Storage

/// `wedlive storage`: tries the storage of a configuration, and moves files to and from it by hand.
struct StorageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "storage",
    abstract: "Try the storage of recordings; put, get and delete by hand.",
    discussion: """
      `wedlive storage check` puts a small file, asks for it, reads it back and deletes it, and says \
      what is wrong where something is. The configuration is a node's; the node need not run.
      """,
    subcommands: [Check.self, Put.self, Get.self, Delete.self])

  /// The storage that the options name.
  private static func open(_ options: ConfigurationOptions) throws -> any ObjectStorage {
    let configuration = try options.load()
    do {
      guard let storage = try NodeStorage.open(configuration) else {
        throw CommandFailure("storage.kind is off: there is no storage")
      }
      return storage
    } catch let failure as StartFailure {
      throw CommandFailure("\(failure)")
    }
  }

  /// An object as `put` printed it.
  private static func object(_ path: String) throws -> StoredObject {
    guard let data = try? Data(contentsOf: URL(filePath: path)),
      let object = try? JSONDecoder().decode(StoredObject.self, from: data)
    else { throw CommandFailure("\(path): isn't what `wedlive storage put` prints") }
    return object
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Try all that a node will do with it.")

    @OptionGroup(title: "Whose storage") var options: ConfigurationOptions

    func run() async throws {
      let storage = try StorageCommand.open(options)
      let folder = NSTemporaryDirectory() + "wedlive-storage-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let bytes = Array("wedlive storage check \(UUID().uuidString)\n".utf8)
      try Data(bytes).write(to: URL(filePath: folder + "/check.txt"))
      do throws(StorageError) {
        let object = try await storage.put(
          folder + "/check.txt", as: "wedlive-check/\(UUID().uuidString).txt",
          contentType: "text/plain", from: nil
        ) { _ in }
        print("put:     \(object.location), \(object.name)")
        guard try await storage.confirm(object) else {
          throw .damaged("what was put is not there, or isn't what was put")
        }
        print("confirm: \(object.bytes) bytes, SHA-256 \(object.checksum)")
        let half = bytes.count / 2
        guard try await storage.read(object, range: half..<bytes.count) == Array(bytes[half...])
        else { throw .damaged("other bytes come back than were put") }
        print("read:    the same bytes")
        if let address = storage.address(object) { print("address: \(address)") }
        try await storage.delete(object)
        guard try await !storage.confirm(object) else {
          throw .failed("what was deleted is still there")
        }
        print("delete:  gone")
      } catch {
        throw CommandFailure("\(error)")
      }
      print("storage: OK")
    }
  }

  struct Put: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put a file, and print as JSON what it is asked for with.")

    @Argument(help: "The file.") var file: String

    @Argument(help: "What it is called in the storage, such as anna-ben/recording.mp4.")
    var name: String

    @Option(help: "Its media type.") var type = "video/mp4"

    @Option(
      help: ArgumentHelp(
        "Where the upload has got to is kept in this file, and gone on from.", valueName: "file"))
    var checkpoint: String?

    @OptionGroup(title: "Whose storage") var options: ConfigurationOptions

    func run() async throws {
      let storage = try StorageCommand.open(options)
      let place = checkpoint.map { URL(filePath: $0) }
      let before = place.flatMap { try? Data(contentsOf: $0) }
        .flatMap { try? JSONDecoder().decode(UploadCheckpoint.self, from: $0) }
      do throws(StorageError) {
        let object = try await storage.put(file, as: name, contentType: type, from: before) {
          note in
          guard let place else { return }
          try? JSONEncoder().encode(note).write(to: place, options: .atomic)
        }
        guard try await storage.confirm(object) else {
          throw .damaged("what was put is not there, or isn't what was put")
        }
        try? print(object)
        if let place { try? FileManager.default.removeItem(at: place) }
      } catch {
        throw CommandFailure("\(error)")
      }
    }

    private func print(_ object: StoredObject) throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      Swift.print(String(decoding: try encoder.encode(object), as: UTF8.self))
    }
  }

  struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Fetch what was put.")

    @Argument(help: "A file with what `put` printed.") var object: String

    @Argument(help: "The file to write.") var file: String

    @OptionGroup(title: "Whose storage") var options: ConfigurationOptions

    func run() async throws {
      let storage = try StorageCommand.open(options)
      let object = try StorageCommand.object(object)
      guard FileManager.default.createFile(atPath: file, contents: nil),
        let handle = FileHandle(forWritingAtPath: file)
      else { throw CommandFailure("\(file): can't be written") }
      defer { try? handle.close() }
      var start = 0
      while start < object.bytes {
        let end = min(start + (8 << 20), object.bytes)
        do {
          try handle.write(
            contentsOf: Data(try await storage.read(object, range: start..<end)))
        } catch {
          throw CommandFailure("\(error)")
        }
        start = end
      }
    }
  }

  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Delete what was put.")

    @Argument(help: "A file with what `put` printed.") var object: String

    @OptionGroup(title: "Whose storage") var options: ConfigurationOptions

    func run() async throws {
      let storage = try StorageCommand.open(options)
      let object = try StorageCommand.object(object)
      do throws(StorageError) {
        try await storage.delete(object)
      } catch {
        throw CommandFailure("\(error)")
      }
    }
  }
}
