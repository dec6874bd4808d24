import Bytes
import Crypto

/// A Lua script, known to servers by its SHA-1.
///
/// It must do all its work through `KEYS` and `ARGV`: the text never changes, so that a server
/// compiles and keeps it once.
package struct RedisScript: Hashable, Sendable {
  package let text: String
  /// 40 hexadecimal digits.
  package let digest: String

  package init(_ text: String) {
    self.text = text
    // Redis' own name for a script; nothing rests on its strength.
    digest = Hexadecimal.text(Insecure.SHA1.hash(data: Array(text.utf8)))
  }

  /// The command that runs it: by digest, or with the whole text where the server has it not.
  func command(
    whole: Bool, keys: [String], arguments: [any RedisCommand.Word]
  ) -> RedisCommand {
    var command =
      whole ? RedisCommand("EVAL", text, keys.count) : RedisCommand("EVALSHA", digest, keys.count)
    command.append(contentsOf: keys)
    for argument in arguments { command.append(argument) }
    return command
  }
}
