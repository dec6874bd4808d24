import Foundation

/// What the Bot API answers: `{"ok": true, "result": …}`, or why not.
struct BotAnswer: Decodable {
  struct Parameters: Decodable {
    var retryAfter: Int?
    var migrateToChat: Int?

    enum CodingKeys: String, CodingKey {
      case retryAfter = "retry_after"
      case migrateToChat = "migrate_to_chat_id"
    }
  }

  /// A file that Telegram has.
  struct File: Decodable {
    var id: String
    var bytes: Int?
    /// Where it can be fetched, below the address of files; or on a server's own disk.
    var path: String?

    enum CodingKeys: String, CodingKey {
      case id = "file_id"
      case bytes = "file_size"
      case path = "file_path"
    }
  }

  /// A message with a file, whatever Telegram took it for: a video without sound is an animation.
  struct Message: Decodable {
    var id: Int
    var video: File?
    var document: File?
    var animation: File?
    var audio: File?

    enum CodingKeys: String, CodingKey {
      case id = "message_id"
      case video, document, animation, audio
    }

    var file: File? { video ?? document ?? animation ?? audio }
  }

  var ok: Bool
  var code: Int?
  var description: String?
  var parameters: Parameters?

  enum CodingKeys: String, CodingKey {
    case ok, description, parameters
    case code = "error_code"
  }

  /// The result, of a type.
  private struct Result<Value: Decodable>: Decodable { var result: Value }

  static func result<Value: Decodable>(_ type: Value.Type, _ body: [UInt8]) -> Value? {
    try? JSONDecoder().decode(Result<Value>.self, from: Data(body)).result
  }

  init?(_ body: [UInt8]) {
    guard let answer = try? JSONDecoder().decode(BotAnswer.self, from: Data(body)) else {
      return nil
    }
    self = answer
  }
}
