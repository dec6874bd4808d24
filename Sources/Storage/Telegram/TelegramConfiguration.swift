/// A bot, and the chat that it keeps recordings in.
package struct TelegramConfiguration: Equatable, Sendable {
  /// Of the Bot API: Telegram's own, or a Bot API server of one's own.
  package var api = "https://api.telegram.org"
  package var token: String
  /// A channel or a group that the bot may post to: `-1001234567890` or `@name`.
  package var chat: String
  /// How large the documents are that a file is cut into.
  ///
  /// Telegram's own servers take 50 MB, and give back 20 MB at most; a server of one's own 2000 MB
  /// both ways.
  package var partBytes = 19 << 20
  package var publicURL: String?
  package var patience = StoragePatience()

  package init(token: String, chat: String) {
    self.token = token
    self.chat = chat
  }
}
