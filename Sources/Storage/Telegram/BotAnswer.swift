import Foundation

/// What the Bot API answers: `{"ok": true, "result": …}`, or why not.
package struct BotAnswer: Decodable {
  package struct Parameters: Decodable {
    package var retryAfter: Int?
    package var migrateToChat: Int?

    enum CodingKeys: String, CodingKey {
      case retryAfter = "retry_after"
      case migrateToChat = "migrate_to_chat_id"
    }
  }

  /// A file that Telegram has.
  package struct File: Decodable {
    /// Nil where it doesn't say: then nobody can ask for it.
    package var id: String?
    package var bytes: Int?
    /// Where it can be fetched, below the address of files; or on a server's own disk.
    package var path: String?

    enum CodingKeys: String, CodingKey {
      case id = "file_id"
      case bytes = "file_size"
      case path = "file_path"
    }
  }

  /// A message with a file, whatever Telegram took it for: a video without sound is an animation.
  package struct Message: Decodable {
    package var id: Int
    var video: File?
    var document: File?
    var animation: File?
    var audio: File?

    enum CodingKeys: String, CodingKey {
      case id = "message_id"
      case video, document, animation, audio
    }

    package var file: File? { video ?? document ?? animation ?? audio }
  }

  package var ok: Bool
  package var code: Int?
  package var description: String?
  package var parameters: Parameters?

  enum CodingKeys: String, CodingKey {
    case ok, description, parameters
    case code = "error_code"
  }

  /// The result, of a type.
  private struct Result<Value: Decodable>: Decodable { var result: Value }

  package static func result<Value: Decodable>(_ type: Value.Type, _ body: [UInt8]) -> Value? {
    try? JSONDecoder().decode(Result<Value>.self, from: Data(body)).result
  }

  package init?(_ body: [UInt8]) {
    guard let answer = try? JSONDecoder().decode(BotAnswer.self, from: Data(body)) else {
      return nil
    }
    self = answer
  }
}
