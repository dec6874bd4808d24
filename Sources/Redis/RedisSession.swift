/// One conversation with a server, without a socket: bytes in, events out, in the order of replies.
///
/// It logs in (`HELLO 2`, so that every server answers in RESP2), selects the database and asks
/// whether the server is ready; then commands go out as they come, and each reply belongs to the
/// oldest one that has none. Confined to one loop.
package final class RedisSession {
  /// How a session introduces itself, and what it needs.
  package struct Greeting: Equatable, Sendable {
    package enum Wanted: Equatable, Sendable {
      /// A server that takes writes.
      case primary
      /// Messages of channels, from a primary.
      case messages
      /// A Sentinel to be asked.
      case sentinel
      /// Messages of a Sentinel.
      case sentinelMessages
    }

    package var wanted: Wanted
    package var user: String?
    package var password: String?
    package var database = 0
    package var clientName = "wedlive"

    package init(_ wanted: Wanted) { self.wanted = wanted }

    var isForMessages: Bool { wanted == .messages || wanted == .sentinelMessages }
    var isForSentinel: Bool { wanted == .sentinel || wanted == .sentinelMessages }
  }

  package enum Event: Equatable, Sendable {
    /// Commands can be sent now.
    case opened(RedisServer)
    /// The reply of the command that was sent under this number; an error of the server is a value.
    case replied(UInt64, RedisValue)
    /// A channel's messages come from here on, or don't, for this reason.
    case subscribed(String, RedisServerError?)
    case message(channel: String, payload: [UInt8])
    /// The server has answered a PING.
    case ponged
  }

  /// What the next reply belongs to.
  private enum Awaited {
    case greeting, database, readiness, pong, unsubscribed
    case command(UInt64)
    case subscribed(String)
  }

  private let greeting: Greeting
  /// Of the server, for a person.
  let address: String
  private let reader: ReplyReader
  private var awaited: [Awaited] = []
  private var head = 0
  private var server: RedisServer?
  package private(set) var isOpen = false

  /// Makes a session; nil when out of memory.
  ///
  /// - Parameters:
  ///   - greeting: who we are.
  ///   - address: of the server, for a person.
  ///   - limits: of a reply.
  package init?(_ greeting: Greeting, address: String, limits: ReplyReader.Limits) {
    guard let reader = ReplyReader(limits) else { return nil }
    self.reader = reader
    self.greeting = greeting
    self.address = address
  }

  /// How many replies are due.
  package var awaitedReplies: Int { awaited.count - head }

  // MARK: Sending

  /// Logs in: the first bytes of a connection, in one flight.
  package func start(into output: inout [UInt8]) -> Bool {
    var hello = RedisCommand("HELLO", 2)
    if let password = greeting.password {
      hello.append("AUTH", greeting.user ?? "default", password)
    }
    hello.append("SETNAME", greeting.clientName)
    var fine = write(hello, .greeting, into: &output)
    if !greeting.isForSentinel, greeting.database != 0 {
      fine = fine && write(RedisCommand("SELECT", greeting.database), .database, into: &output)
    }
    return fine && write(RedisCommand("PING"), .readiness, into: &output)
  }

  /// Sends a command; its reply comes as `.replied` with this number.
  ///
  /// - Returns: false when out of memory; nothing was written then.
  package func send(
    _ command: RedisCommand, as number: UInt64, into output: inout [UInt8]
  ) -> Bool {
    write(command, .command(number), into: &output)
  }

  /// Sends what a caller has formatted: so many commands of one number.
  func send(formatted bytes: [UInt8], count: Int, as number: UInt64, into output: inout [UInt8]) {
    output += bytes
    for _ in 0..<count { awaited.append(.command(number)) }
  }

  /// Asks for a channel's messages.
  package func subscribe(_ channel: String, into output: inout [UInt8]) -> Bool {
    write(RedisCommand("SUBSCRIBE", channel), .subscribed(channel), into: &output)
  }

  /// Wants no more messages of a channel.
  package func unsubscribe(_ channel: String, into output: inout [UInt8]) -> Bool {
    write(RedisCommand("UNSUBSCRIBE", channel), .unsubscribed, into: &output)
  }

  /// Asks for a sign of life.
  package func ping(into output: inout [UInt8]) -> Bool {
    write(RedisCommand("PING"), .pong, into: &output)
  }

  private func write(
    _ command: RedisCommand, _ reply: Awaited, into output: inout [UInt8]
  ) -> Bool {
    guard command.write(into: &output) else { return false }
    awaited.append(reply)
    return true
  }

  // MARK: Receiving

  /// Takes bytes as they came; `next` says what was in them.
  package func receive(_ bytes: borrowing Span<UInt8>) throws(RedisLoss) {
    do throws(ReplyReader.Violation) {
      try reader.feed(bytes)
    } catch {
      throw .violated(error.description)
    }
  }

  /// What came next; nil until more bytes come.
  ///
  /// - Throws: why the connection is of no use.
  package func next() throws(RedisLoss) -> Event? {
    while true {
      let value: RedisValue
      do throws(ReplyReader.Violation) {
        guard let whole = try reader.next() else { return nil }
        value = whole
      } catch {
        throw .violated(error.description)
      }
      if let event = try judge(value) { return event }
    }
  }

  private func judge(_ value: RedisValue) throws(RedisLoss) -> Event? {
    if isOpen, greeting.isForMessages, let message = Self.message(value) { return message }
    guard head < awaited.count else { throw .violated("a reply that nothing was asked for") }
    let reply = awaited[head]
    head += 1
    if head > 512, head * 2 > awaited.count {
      awaited.removeFirst(head)
      head = 0
    }
    switch reply {
    case .greeting:
      server = try introduced(value)
      return nil
    case .database:
      if case .error(let error) = value {
        throw error.kind == "LOADING" ? .loading : .refused(error)
      }
      return nil
    case .readiness: return try ready(value)
    case .pong:
      if case .error(let error) = value, error.deniesPrimary { throw .loading }
      return .ponged
    case .unsubscribed: return nil
    case .command(let number): return .replied(number, value)
    case .subscribed(let channel):
      if case .error(let error) = value { return .subscribed(channel, error) }
      guard let parts = value.array, parts.count == 3, parts[0].text == "subscribe",
        parts[1].text == channel
      else { throw .violated("SUBSCRIBE was answered with \(value.kind)") }
      return .subscribed(channel, nil)
    }
  }

  private static func message(_ value: RedisValue) -> Event? {
    guard case .array(let parts) = value, parts.count == 3, parts[0].text == "message",
      let channel = parts[1].text, let payload = parts[2].bytes
    else { return nil }
    return .message(channel: channel, payload: payload)
  }

  /// Reads the answer to HELLO.
  private func introduced(_ value: RedisValue) throws(RedisLoss) -> RedisServer {
    if case .error(let error) = value {
      throw error.kind == "LOADING" ? .loading : .refused(error)
    }
    guard let fields = value.fields, let role = fields["role"]?.text ?? fields["mode"]?.text else {
      throw .violated("HELLO was answered with \(value.kind)")
    }
    let server = RedisServer(
      address: address, version: fields["version"]?.text ?? "", role: role,
      mode: fields["mode"]?.text ?? "")
    if !greeting.isForSentinel, role != "master" { throw .notPrimary(role) }
    return server
  }

  /// Reads the answer to the first PING, which a server that is loading refuses.
  private func ready(_ value: RedisValue) throws(RedisLoss) -> Event {
    if case .error(let error) = value {
      switch error.kind {
      case "LOADING", "MASTERDOWN": throw .loading
      case "NOAUTH": throw .refused(error)
      // A user who may not PING, or a disk that takes no writes: commands will say so themselves.
      default: break
      }
    }
    guard let server else { throw .violated("no answer to HELLO") }
    isOpen = true
    return .opened(server)
  }
}
