import Redis
import Store

/// The life of Redis' data: `wl:records`, a random value that the first who reads records writes.
///
/// With another one Redis has lost its records, or is another server: what is missing in it was not
/// taken away by anybody.
enum RecordEra {
  static let key = "wl:records"

  /// What makes it where there is none, and reads it.
  static func commands() -> [RedisCommand] {
    let new = String(UInt64.random(in: .min ... .max), radix: 36)
    return [RedisCommand("SETNX", key, new), RedisCommand("GET", key)]
  }

  /// Reads the answer to those commands.
  static func decode(_ replies: [RedisValue]) throws(StoreError) -> String {
    guard replies.count >= 2, let era = replies[1].text else {
      throw .damaged("\(key) in Redis is no value of ours")
    }
    return era
  }
}
