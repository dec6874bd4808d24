import Redis
import Store

/// The Redis that records are kept in, as stores use it: its errors are theirs.
struct RecordServer: Sendable {
  /// How many commands are sent in one flight.
  private static let batch = 200

  let client: RedisClient
  /// How long one flight may take.
  let deadline: Duration

  @discardableResult
  func send(_ command: RedisCommand) async throws(StoreError) -> RedisValue {
    do throws(RedisError) {
      return try await client.send(command, deadline: deadline)
    } catch {
      throw StoreError(error)
    }
  }

  /// Runs a script over keys of one slot.
  @discardableResult
  func run(
    _ script: RedisScript, on keys: [String], _ arguments: [any RedisCommand.Word]
  ) async throws(StoreError) -> RedisValue {
    do throws(RedisError) {
      return try await client.run(script, keys: keys, arguments: arguments, deadline: deadline)
    } catch {
      throw StoreError(error)
    }
  }

  /// Sends any number of commands, and returns their replies in order.
  ///
  /// - Throws: also where one of the replies is an error; the other commands have been run then.
  @discardableResult
  func all(_ commands: [RedisCommand]) async throws(StoreError) -> [RedisValue] {
    var replies: [RedisValue] = []
    replies.reserveCapacity(commands.count)
    do throws(RedisError) {
      var rest = commands[...]
      while !rest.isEmpty {
        replies += try await client.pipeline(Array(rest.prefix(Self.batch)), deadline: deadline)
        rest = rest.dropFirst(Self.batch)
      }
      for reply in replies { if let error = reply.error { throw .refused(error) } }
    } catch {
      throw StoreError(error)
    }
    return replies
  }

  /// Runs commands with nothing of others in between.
  func atOnce(_ commands: [RedisCommand]) async throws(StoreError) -> [RedisValue] {
    do throws(RedisError) {
      let replies = try await client.transaction(commands, deadline: deadline)
      for reply in replies { if let error = reply.error { throw .refused(error) } }
      return replies
    } catch {
      throw StoreError(error)
    }
  }
}

extension StoreError {
  /// What an error of Redis is for one who wants to read or write a record.
  init(_ error: RedisError) {
    switch error {
    case .refused(let words) where words.kind == "OOM": self = .full("\(error)")
    case let error where error.canRetry: self = .unreachable("\(error)")
    default: self = .failed("\(error)")
    }
  }
}
