import Bytes
import Redis
import Store

/// The fields of `wl:cameras:{wedding}`.
///
/// `order:id`, `name:id`, `priority:id`, `plan:id`, `created:id` and `live:id` of each camera;
/// `key:digest` of each credential: its order, times and camera; `removed:id`, when; `program`,
/// when it was written last; `shows`, the camera that it is to show; `count`, the largest order.
enum CameraFields {
  /// Reads a wedding's fields; what is none of ours is passed over.
  static func book(of wedding: String, in fields: [String: RedisValue]) -> CameraBook {
    var book = CameraBook()
    var cameras: [(order: Int64, record: CameraRecord)] = []
    var credentials: [(order: Int64, record: CredentialRecord)] = []
    for (field, value) in fields {
      let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let name = parts.last.map(String.init) else { continue }
      switch parts[0] {
      case "order":
        guard let order = value.integer, let camera = camera(name, wedding, fields) else {
          continue
        }
        cameras.append((order, camera))
      case "key":
        guard let digest = Hexadecimal.bytes(name), let text = value.text,
          let (order, record) = credential(digest, text, wedding)
        else { continue }
        credentials.append((order, record))
      case "removed":
        book.removed.append(
          RemovedCamera(wedding: wedding, id: name, removed: value.integer ?? .max))
      default: break
      }
    }
    book.cameras = cameras.sorted { $0.order < $1.order }.map(\.record)
    book.credentials = credentials.sorted { $0.order < $1.order }.map(\.record)
    book.removed.sort { ($0.removed, $0.id) < ($1.removed, $1.id) }
    if let updated = fields["program"]?.integer {
      book.programs = [
        ProgramRecord(wedding: wedding, camera: fields["shows"]?.text, updated: updated)
      ]
    }
    return book
  }

  private static func camera(
    _ id: String, _ wedding: String, _ fields: [String: RedisValue]
  ) -> CameraRecord? {
    guard let name = fields["name:\(id)"]?.text,
      let priority = fields["priority:\(id)"]?.integer,
      let created = fields["created:\(id)"]?.integer
    else { return nil }
    return CameraRecord(
      wedding: wedding, id: id, name: name, priority: Int(clamping: priority),
      plan: fields["plan:\(id)"]?.text, created: created, lastLive: fields["live:\(id)"]?.integer)
  }

  private static func credential(
    _ digest: [UInt8], _ text: String, _ wedding: String
  ) -> (Int64, CredentialRecord)? {
    let parts = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let order = Int64(parts[0]), let created = Int64(parts[1]),
      let expires = Int64(parts[2])
    else { return nil }
    return (
      order,
      CredentialRecord(
        wedding: wedding, camera: String(parts[3]), digest: digest, created: created,
        expires: expires)
    )
  }

  /// The arguments of `CameraScripts.restore`.
  static func words(of wedding: String, in book: CameraBook) -> [any RedisCommand.Word] {
    var order = 0
    var fields: [any RedisCommand.Word] = []
    for camera in book.cameras where camera.wedding == wedding {
      order += 1
      fields += ["order:\(camera.id)", order, "name:\(camera.id)", camera.name]
      fields += ["priority:\(camera.id)", camera.priority, "created:\(camera.id)", camera.created]
      if let plan = camera.plan { fields += ["plan:\(camera.id)", plan] }
      if let live = camera.lastLive { fields += ["live:\(camera.id)", live] }
    }
    for key in book.credentials where key.wedding == wedding {
      order += 1
      fields += [
        "key:\(Hexadecimal.text(key.digest))",
        "\(order) \(key.created) \(key.expires) \(key.camera)",
      ]
    }
    for camera in book.removed where camera.wedding == wedding {
      fields += ["removed:\(camera.id)", camera.removed]
    }
    for program in book.programs where program.wedding == wedding {
      fields += ["program", program.updated]
      if let camera = program.camera { fields += ["shows", camera] }
    }
    return [order] + fields
  }
}

extension CameraBook {
  /// All weddings of which something is kept.
  var weddings: [String] {
    var seen: Set<String> = []
    let all =
      cameras.map(\.wedding) + credentials.map(\.wedding) + removed.map(\.wedding)
      + programs.map(\.wedding)
    return all.filter { seen.insert($0).inserted }
  }

  mutating func append(_ other: CameraBook) {
    cameras += other.cameras
    credentials += other.credentials
    removed += other.removed
    programs += other.programs
  }

  /// What it has of one wedding.
  func only(_ wedding: String) -> CameraBook {
    var book = CameraBook()
    book.cameras = cameras.filter { $0.wedding == wedding }
    book.credentials = credentials.filter { $0.wedding == wedding }
    book.removed = removed.filter { $0.wedding == wedding }
    book.programs = programs.filter { $0.wedding == wedding }
    return book
  }
}
